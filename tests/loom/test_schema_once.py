"""What is described once, however often it is declared: functions of scalars, by whatever name those go.

This file postpones the evaluation of annotations: every one is text, unless a test replaces it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from loom import schema
from loom.schema import Signature, describe


class Author(BaseModel):
    name: str
    boss: Author | None = None


def signature(function: Callable[..., Any]) -> Signature:
    return describe(function, "capability 'test'")


def test_the_same_scalars_are_described_once():
    def declare(limit: int) -> Signature:
        def search(query: str, limit: int = limit) -> str:
            return query[:limit]

        return describe(search, "capability 'web.search'")

    first, second = declare(5), declare(5)
    assert second.arguments is first.arguments
    assert second.output is first.output
    assert declare(6).input_schema["properties"]["limit"]["default"] == 6


def test_what_a_factory_declares_again_and_again_is_described_once():
    def declare(limit: object) -> Signature:
        def search(query: str, *, limit: int = limit) -> str:  # type: ignore[assignment]  # as some do
            return query

        search.__annotations__ = {"query": str, "limit": int, "return": str}
        return describe(search, "capability 'web.search'")

    assert declare(1) is declare(1)
    assert declare(1) is not declare(True)
    assert declare(2).input_schema["properties"]["limit"]["default"] == 2


def test_the_names_of_scalars_are_scalars_unless_they_name_something_else():
    def declare() -> Signature:
        def search(query: str, limit: int = 3) -> str:
            return query

        return signature(search)

    assert declare() is declare()
    assert declare().input_schema["properties"]["query"]["type"] == "string"
    assert declare().output_schema == {"type": "string"}


def test_a_scalars_name_that_a_function_around_gives_to_something_else():
    def declare(str: Any) -> Signature:  # noqa: A002 - that is the case
        def search(query: str) -> str:
            return query

        return signature(search)

    def declare_deeper(str: Any) -> Signature:  # noqa: A002 - as above
        def between() -> Signature:
            def search(query: str) -> bool:
                return isinstance(query, str)

            return signature(search)

        return between()

    def declare_beside(str: Any) -> Signature:  # noqa: A002 - as above
        def between() -> Signature:
            assert str  # the function below does not use it, this one does

            def search(query: str) -> bool:
                return True

            return signature(search)

        return between()

    for declared in (declare, declare_deeper, declare_beside):
        assert declared(Author).input_schema["properties"]["query"] == {"$ref": "#/$defs/Author"}
        assert declared(int).input_schema["properties"]["query"]["type"] == "integer"


def test_what_answers_nothing_is_plain_too():
    def declare(text: bool) -> Signature:
        def tell(query: str) -> None: ...

        if not text:
            tell.__annotations__ = {"query": str, "return": None}
        return signature(tell)

    for text in (True, False):
        assert declare(text) is declare(text)
        assert declare(text).output_schema == {"type": "null"}


def test_a_scalars_name_that_a_module_gives_to_something_else():
    names: dict[str, Any] = {"Author": Author}
    exec("str = Author\ndef search(query: 'str', limit: 'int') -> 'str': return query", names)
    described = signature(names["search"])
    assert described.input_schema["properties"]["query"] == {"$ref": "#/$defs/Author"}
    assert described.input_schema["properties"]["limit"]["type"] == "integer"


def test_functions_that_only_look_alike_are_told_apart():
    def declare(kind: type, *, hidden: bool = False) -> Signature:
        def work(value, ctx=None):
            return value

        work.__annotations__ = {"value": kind}
        if hidden:
            work.__signature__ = inspect.Signature()  # type: ignore[attr-defined]  # as decorators set it
        return describe(work, "capability 'work'")

    assert declare(int).input_schema["properties"]["value"]["type"] == "integer"
    assert declare(str).input_schema["properties"]["value"]["type"] == "string"
    assert declare(str).context == "ctx"
    assert declare(str, hidden=True).keywords == ()


def test_scalars_that_are_equal_are_told_apart():
    def declare(default: float) -> object:
        def function(value: float = default) -> None: ...

        return describe(function, "it").input_schema["properties"]["value"]["default"]

    assert [repr(declare(default)) for default in (1, True, 1.0, 0, False)] == [
        "1",
        "True",
        "1.0",
        "0",
        "False",
    ]


def test_other_types_are_described_each_time():
    def declare() -> Signature:
        def function(author: Author, moods: list[str]) -> Author:
            return author

        return describe(function, "it")

    assert declare().arguments is not declare().arguments


def test_what_is_kept_of_scalars_is_bounded():
    for number in range(300):

        def function(value: int = number) -> None: ...

        assert describe(function, "it").input_schema["properties"]["value"]["default"] == number
    assert len(schema._plain_before) <= schema._MOST_PLAIN
