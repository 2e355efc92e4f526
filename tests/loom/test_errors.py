"""The tree of errors: drawn as it is, one line each, a code and a remedy for all that is told."""

import pickle
import re

import pytest

from loom import errors
from loom.codes import CODES, Code
from loom.errors import (
    BY_CODE,
    CapabilityError,
    CapabilityNotFound,
    DeadlineExceeded,
    HandlerError,
    InvalidInput,
    InvalidOutput,
    LoomError,
    Overloaded,
    error_from_code,
)

CLASSES = [getattr(errors, name) for name in errors.__all__ if name != "error_from_code"]


def test_the_drawn_tree_is_the_tree():
    drawn: dict[str, str] = {}
    parents: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    (?P<stem>[ │├└─]*)(?P<name>[A-Z]\w+)", line)
        if found:
            depth = len(found["stem"]) // 4
            parents = [*parents[:depth], found["name"]]
            drawn[found["name"]] = parents[-2] if depth else "Exception"
    assert drawn == {error.__name__: error.__bases__[0].__name__ for error in CLASSES}


def test_every_code_has_an_exception_and_an_entry_in_the_table():
    assert set(BY_CODE) == set(CODES) == set(Code)


@pytest.mark.parametrize("error", CLASSES)
def test_default_codes_are_in_the_table(error):
    assert error("it broke").code in set(Code)


def test_a_message_is_one_line():
    assert LoomError("what\n  happened\tand  why ").message == str(LoomError("what happened and why"))


def test_what_is_told_is_kept_and_the_remedy_is_added_once():
    told = error_from_code("NOT_FOUND", 'no agent offers "x"', {"name": "x"})
    assert isinstance(told, CapabilityNotFound)
    assert (told.code, told.details) == ("NOT_FOUND", {"name": "x"})
    assert told.message == f'no agent offers "x". {CODES[Code.NOT_FOUND].remedy}'
    assert error_from_code("NOT_FOUND", told.message).message == told.message


def test_a_code_alone_is_told_in_the_tables_words():
    info = CODES[Code.OVERLOADED]
    assert error_from_code("OVERLOADED").message == f"{info.meaning} {info.remedy}"


def test_a_providers_own_code_stays_its_own():
    told = error_from_code("QUOTA", "come back tomorrow")
    assert (type(told), told.code, told.message, told.retry) == (
        CapabilityError,
        "QUOTA",
        "come back tomorrow",
        False,
    )
    assert type(error_from_code("QUOTA", other=HandlerError)) is HandlerError
    assert "QUOTA" in error_from_code("QUOTA").message
    assert "(none)" in error_from_code("").message


def test_retry_is_what_the_table_says():
    assert Overloaded("busy").retry
    assert not InvalidInput("no").retry


def test_errors_are_what_python_calls_them_too():
    with pytest.raises(TimeoutError):
        raise DeadlineExceeded("late")
    with pytest.raises(ValueError, match="no"):
        raise InvalidInput("no")


@pytest.mark.parametrize("error", [InvalidInput, InvalidOutput])
def test_the_path_is_the_first_field_at_fault(error):
    assert error("no", details={"b": "x", "a.0": "y"}).path == "a.0"
    assert error("no").path == ""


def test_errors_travel_between_processes():
    error = pickle.loads(pickle.dumps(CapabilityError("it broke", code="MINE", details={"a": "b"})))
    assert (error.message, error.code, error.details) == ("it broke", "MINE", {"a": "b"})
