"""Exit codes: every error of the SDK has one."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from loom import errors
from loom.cli.exits import EXITS, Exit, Failure, exit_for, loom_errors, told_as_json


def test_every_exit_code_is_explained() -> None:
    assert set(EXITS) == set(Exit)


@pytest.mark.parametrize(
    ("error", "ends"),
    [
        (errors.ConfigError("x"), Exit.USAGE),
        (errors.DefinitionError("x"), Exit.USAGE),
        (errors.PayloadError("x"), Exit.USAGE),
        (errors.InvalidInput("x"), Exit.USAGE),
        (errors.BridgeUnavailable("x"), Exit.NO_BRIDGE),
        (errors.Unauthenticated("x"), Exit.NO_BRIDGE),
        (errors.Superseded("x"), Exit.NO_BRIDGE),
        (errors.NoSubscribers("x"), Exit.NOBODY),
        (errors.CapabilityNotFound("x"), Exit.NOBODY),
        (errors.CapabilityUnavailable("x"), Exit.NOBODY),
        (errors.DeadlineExceeded("x"), Exit.TIMEOUT),
        (errors.CapabilityError("x"), Exit.FAILED),
        (errors.Overloaded("x"), Exit.FAILED),
        (errors.LoomError("x"), Exit.FAILED),
    ],
)
def test_the_exit_code_of_an_error(error: errors.LoomError, ends: Exit) -> None:
    assert exit_for(error) is ends
    with pytest.raises(Failure) as caught, loom_errors():
        raise error
    assert (caught.value.ends, caught.value.message, caught.value.code) == (ends, "x", error.code)


def test_a_failure_is_one_line() -> None:
    assert Failure("a\n  b").message == "a b"


@pytest.mark.parametrize("wanted", [True, False])
def test_a_failure_as_json(wanted: bool) -> None:
    @click.command()
    def command() -> None:
        with told_as_json(wanted):
            raise Failure("it broke", Exit.TIMEOUT, code="TIMEOUT", details={"a": "b"})

    done = CliRunner().invoke(command)
    if wanted:
        assert done.exit_code == 5
        assert done.stdout == (
            '{"ok": false, "error": {"code": "TIMEOUT", "message": "it broke", "details": {"a": "b"}}}\n'
        )
    else:
        assert done.stdout == ""
        assert "it broke" in done.stderr
