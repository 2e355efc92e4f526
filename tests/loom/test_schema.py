"""Signatures as models and JSON Schema; what cannot be described is refused where it is declared.

This file postpones the evaluation of annotations, as much user code does: every annotation here is text.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import functools
import json
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional, TypedDict

import pytest
from pydantic import BaseModel, Field

from loom.context import Context
from loom.errors import DefinitionError
from loom.schema import Signature, describe

if TYPE_CHECKING:
    from decimal import Decimal

    from loom import Context as OnlyForTypeCheckers


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Author(BaseModel):
    name: str
    boss: Author | None = None


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


def signature(function: Callable[..., Any]) -> Signature:
    return describe(function, "capability 'test'")


def refusal(function: Callable[..., Any]) -> str:
    with pytest.raises(DefinitionError) as caught:
        signature(function)
    assert caught.value.code == "INVALID_DEFINITION"
    assert "capability 'test'" in caught.value.message
    return caught.value.message


def call(function: Callable[..., Any], payload: dict[str, Any], context: object = None) -> Any:
    described = signature(function)
    args, kwargs = described.bind(described.arguments.model_validate_json(json.dumps(payload)), context)
    return function(*args, **kwargs)


def test_parameters_are_the_fields_of_an_object() -> None:
    def search(query: str, limit: int = 5, *, mood: Mood = Mood.GOOD) -> list[Point]:
        raise AssertionError("described, not called")

    described = signature(search)
    assert described.input_schema["type"] == "object"
    assert described.input_schema["required"] == ["query"]
    assert described.input_schema["additionalProperties"] is False
    assert described.input_schema["properties"] == {
        "query": {"title": "Query", "type": "string"},
        "limit": {"title": "Limit", "type": "integer", "default": 5},
        "mood": {"$ref": "#/$defs/Mood", "default": "good"},
    }
    assert described.output_schema["type"] == "array"
    assert described.output_schema["items"] == {"$ref": "#/$defs/Point"}
    assert described.context == ""


def test_every_kind_of_annotation() -> None:
    def everything(
        author: Author,
        point: Point,
        mood: Mood,
        when: datetime.datetime,
        kind: Literal["a", 1],
        maybe: Optional[int],  # noqa: UP045 - the older way of writing it counts too
        either: int | str,
        many: dict[str, list[Author]],
        count: Annotated[int, Field(ge=1, description="how many")],
        anything: Any,
    ) -> Any:
        return author, point, mood, when, kind, maybe, either, many, count, anything

    schema = signature(everything).input_schema
    assert set(schema["$defs"]) == {"Author", "Point", "Mood"}
    assert schema["properties"]["count"] == {
        "title": "Count",
        "type": "integer",
        "minimum": 1,
        "description": "how many",
    }
    assert schema["properties"]["kind"]["enum"] == ["a", 1]
    assert schema["properties"]["when"]["format"] == "date-time"
    result = call(
        everything,
        {
            "author": {"name": "Ada", "boss": {"name": "Bob"}},
            "point": {"x": 1},
            "mood": "bad",
            "when": "2026-01-02T03:04:05Z",
            "kind": 1,
            "maybe": None,
            "either": "x",
            "many": {"k": [{"name": "Eve"}]},
            "count": 3,
            "anything": {"free": [1]},
        },
    )
    assert result[0] == Author(name="Ada", boss=Author(name="Bob"))
    assert result[1] == Point(1)
    assert result[2] is Mood.BAD
    assert result[7] == {"k": [Author(name="Eve")]}
    assert result[9] == {"free": [1]}


def test_defaults() -> None:
    def defaults(
        plain: int = 1,
        field: int = Field(default=2, ge=0),
        made: list[int] = Field(default_factory=lambda: [3]),  # noqa: B008 - a default as Pydantic writes it
        mutable: list[int] = [4],  # noqa: B006 - that calls do not share it is the point
        odd: Any = object,
    ) -> Any:
        mutable.append(0)
        return plain, field, made, mutable, odd

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        described = signature(defaults)
    assert "required" not in described.input_schema
    assert "default" not in described.input_schema["properties"]["odd"]
    assert call(defaults, {}) == (1, 2, [3], [4, 0], object)
    assert call(defaults, {}) == (1, 2, [3], [4, 0], object)
    assert call(defaults, {"field": 7, "mutable": []})[1:4] == (7, [3], [0])


def test_a_required_field_may_carry_its_rules_as_default() -> None:
    def rules(count: int = Field(ge=1), size: Annotated[int, Field(alias="n")] = 0) -> tuple[int, int]:
        return count, size

    described = signature(rules)
    assert described.input_schema["required"] == ["count"]
    assert described.input_schema["properties"]["count"]["minimum"] == 1
    assert call(rules, {"count": 1, "n": 9}) == (1, 9)


def test_names_that_pydantic_keeps_for_itself() -> None:
    def names(_hidden: int, model_config: str, json: int, schema: int, copy: int) -> Any:
        return _hidden, model_config, json, schema, copy

    given = {"_hidden": 1, "model_config": "m", "json": 2, "schema": 3, "copy": 4}
    assert set(signature(names).input_schema["properties"]) == set(given)
    assert call(names, given) == (1, "m", 2, 3, 4)


def test_positional_parameters_come_by_name_too() -> None:
    def mixed(a: int, b: int, /, c: int, *, d: int) -> Any:
        return a, b, c, d

    assert call(mixed, {"d": 4, "c": 3, "b": 2, "a": 1}) == (1, 2, 3, 4)


def test_the_context_by_name_or_annotation() -> None:
    def named(ctx, a: int) -> Any:  # the name is enough
        return ctx, a

    def annotated(a: int, here: Context) -> Any:
        return here, a

    def optional(a: int, here: Context | None = None) -> Any:
        return here, a

    def unresolved(a: int, here: OnlyForTypeCheckers) -> Any:
        return here, a

    for function in (named, annotated, optional):
        described = signature(function)
        assert list(described.input_schema["properties"]) == ["a"]
        assert call(function, {"a": 1}, context="the context") == ("the context", 1)
    assert "OnlyForTypeCheckers" in refusal(unresolved)


def test_a_context_that_only_type_checkers_import() -> None:
    elsewhere: dict[str, Any] = {}
    exec("def function(a: int, here: Context | None) -> int: ...", elsewhere)
    assert signature(elsewhere["function"]).context == "here"


def test_types_defined_inside_a_function() -> None:
    class Local(BaseModel):
        a: int

    def use(value: Local) -> list[Local]:
        return [value]

    assert call(use, {"value": {"a": 1}}) == [Local(a=1)]


def test_types_of_an_enclosing_function() -> None:
    class Outer(BaseModel):
        a: int

    def declare() -> Signature:
        def use(value: Outer) -> Outer:
            return Outer(a=value.a)

        return signature(use)

    assert "Outer" in declare().input_schema["$defs"]


def test_a_function_inside_a_function_may_call_itself() -> None:
    class Tree(BaseModel):
        parts: list[Tree] = []

    def declare(function: Callable[..., Any]) -> Signature:
        return signature(function)

    @declare
    def count(tree: Tree) -> int:  # its own name is not bound yet where it is declared
        return 1 + sum(count(part) for part in tree.parts)  # type: ignore[operator]  # bound to its signature

    assert "Tree" in count.input_schema["$defs"]


def test_a_wrapped_function_keeps_its_signature() -> None:
    def twice(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return [function(*args, **kwargs)] * 2

        return wrapper

    @twice
    def point(x: int) -> Point:
        return Point(x)

    assert call(point, {"x": 3}) == [Point(3), Point(3)]


def test_bound_methods() -> None:
    class Searcher:
        def search(self, query: str) -> str:
            return query.upper()

    assert call(Searcher().search, {"query": "a"}) == "A"
    assert "bound method" in refusal(Searcher.search)


def test_what_is_returned() -> None:
    def nothing() -> None: ...

    def anything(): ...  # that is the point

    def raw() -> bytes:
        return b""

    class Row(BaseModel):
        key: str = Field(serialization_alias="k")

    def row() -> Row:
        return Row(key="x")

    assert signature(nothing).output_schema == {"type": "null"}
    assert signature(nothing).input_schema["properties"] == {}
    assert signature(anything).output_schema == {}
    assert signature(raw).raw
    assert list(signature(row).output_schema["properties"]) == ["k"]


def test_refused_parameters() -> None:
    def keywords(a: int, **rest: int) -> None: ...

    def positions(*many: int) -> None: ...

    def untyped(a) -> None: ...  # the point

    def twice(ctx: Context, other: Context) -> None: ...

    assert "**rest" in refusal(keywords)
    assert "rest: dict[str, ...]" in refusal(keywords)
    assert "many: list[...]" in refusal(positions)
    assert "parameter 'a' of capability 'test' has no type" in refusal(untyped)
    assert "takes the Context twice" in refusal(twice)


def test_refused_types() -> None:
    class Strange:
        pass

    class Row(TypedDict):
        strange: Strange

    def strange(a: int, odd: Strange) -> None: ...

    def hidden(odd: list[Row]) -> None: ...

    def callback(then: Callable[[], None]) -> None: ...

    def returns() -> Strange:
        return Strange()

    def unknown(a: Decimal) -> None: ...

    def nonsense(a: int) -> None: ...

    nonsense.__annotations__["a"] = "no type"

    assert "parameter 'odd' of capability 'test' cannot be described: Strange" in refusal(strange)
    assert "parameter 'odd'" in refusal(hidden)
    assert "parameter 'then'" in refusal(callback)
    assert "what capability 'test' returns cannot be described" in refusal(returns)
    assert "names 'Decimal'" in refusal(unknown)
    assert "not only under TYPE_CHECKING" in refusal(unknown)
    assert "is not a type" in refusal(nonsense)


def test_refused_functions() -> None:
    def generator() -> Iterator[int]:
        yield 1

    async def stream() -> AsyncIterator[int]:
        yield 1

    assert "return the whole answer" in refusal(generator)
    assert "return the whole answer" in refusal(stream)
    assert "declare it on a function" in refusal(len)
    assert "declare it on a function" in refusal(Point)
    assert "declare it on a function" in refusal(functools.partial(generator))
