"""Capabilities: validated on the way in, run, validated on the way out; errors that say what and where."""

import asyncio
import contextvars
import dataclasses
import enum
import functools
import json
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from loom.capability import Capability, capability
from loom.errors import CapabilityError, DeadlineExceeded, DefinitionError, InvalidInput, InvalidOutput
from loom.v1.action_pb2 import PROVIDER_NATIVE, CapabilityDescriptor

user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Author(BaseModel):
    name: str
    mood: Mood = Mood.GOOD


class Paper(BaseModel):
    title: str
    authors: list[Author] = []
    kind: Literal["long", "short"] = "long"


@dataclasses.dataclass
class Summary:
    text: str
    words: int


@capability("paper.summarize", version="1.0", max_concurrency=4)
async def summarize(paper: Paper, limit: int = 10, *, tone: Mood | None = None) -> Summary:
    """Summarises a paper.

    In few words.
    """
    text = f"{paper.title} by {paper.authors[0].name}"[:limit]
    return Summary(text, limit if tone is None else -limit)


async def answer(function: Callable[..., Any], payload: Any = None, context: Any = None) -> Any:
    data = b"" if payload is None else json.dumps(payload).encode()
    return json.loads(await Capability(function, "test.it").run(data, context))


def test_it_is_still_the_function() -> None:
    assert summarize.__name__ == "summarize"
    assert summarize.__doc__ is not None
    assert summarize.__doc__.startswith("Summarises")
    result = asyncio.run(summarize(Paper(title="On", authors=[Author(name="Ada")]), 5))
    assert result == Summary("On by", 5)
    assert repr(summarize) == "Capability('paper.summarize@1.0')"
    assert repr(Capability(len_of, "len")) == "Capability('len')"


def len_of(text: str) -> int:
    return len(text)


def test_the_schemas_may_be_changed_and_nothing_else_changes_with_them() -> None:
    def search(query: str) -> str:
        return query

    first, second = Capability(search, "web.search"), Capability(search, "web.search")
    before = second.metadata()
    first.input_schema["properties"]["query"]["title"] = "changed"
    first.output_schema["title"] = "changed"
    assert first.metadata() == second.metadata() == before
    assert first.input_schema == second.input_schema


def test_the_descriptor_carries_the_schemas() -> None:
    descriptor = summarize.descriptor()
    assert descriptor == CapabilityDescriptor(
        name="paper.summarize",
        version="1.0",
        provider=PROVIDER_NATIVE,
        metadata={
            "input_schema": json.dumps(summarize.input_schema, separators=(",", ":")),
            "output_schema": json.dumps(summarize.output_schema, separators=(",", ":")),
            "description": "Summarises a paper.\n\nIn few words.",
            "loom.max_concurrency": "4",
        },
    )
    schema = json.loads(descriptor.metadata["input_schema"])
    assert set(schema["properties"]) == {"paper", "limit", "tone"}
    assert schema["$defs"]["Author"]["properties"]["mood"]["default"] == "good"


def test_a_descriptor_names_only_what_is_set() -> None:
    assert set(Capability(len_of, "len").metadata()) == {"input_schema", "output_schema"}
    described = Capability(len_of, "len", description="Counts.", timeout=2.5)
    assert described.metadata()["description"] == "Counts."
    assert described.timeout == 2.5


async def test_models_and_dataclasses_go_in_and_come_out() -> None:
    payload = {"paper": {"title": "On", "authors": [{"name": "Ada", "mood": "bad"}]}, "tone": "good"}
    data = await summarize.run(json.dumps(payload).encode())
    assert json.loads(data) == {"text": "On by Ada", "words": -10}


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(), st.lists(st.booleans()), st.none())
def test_arguments_survive(text: str, number: int, flags: list[bool], nothing: None) -> None:
    def echo(text: str, number: int, flags: list[bool], nothing: None = None) -> list[Any]:
        return [text, number, flags, nothing]

    payload = {"text": text, "number": number, "flags": flags, "nothing": nothing}
    assert asyncio.run(answer(echo, payload)) == [text, number, flags, nothing]


@given(st.binary(max_size=60))
def test_arbitrary_payloads_are_answered_or_refused(payload: bytes) -> None:
    async def call() -> None:
        try:
            await summarize.run(payload)
        except InvalidInput:
            return

    asyncio.run(call())


async def test_no_payload_means_no_arguments() -> None:
    def count(start: int = 1) -> int:
        return start

    assert await answer(count) == 1
    with pytest.raises(InvalidInput, match="field 'text': Field required"):
        await answer(len_of)


@pytest.mark.parametrize(
    ("payload", "paths"),
    [
        ({}, {"paper"}),
        ({"paper": {"title": 1}}, {"paper.title"}),
        ({"paper": {"title": "t", "authors": [{"name": "a"}, {"mood": "sad"}]}},
         {"paper.authors.1.name", "paper.authors.1.mood"}),
        ({"paper": {"title": "t", "kind": "middle"}, "limit": "many"}, {"paper.kind", "limit"}),
        ({"paper": {"title": "t"}, "size": 3}, {"size"}),
        ([], {""}),
        ("text", {""}),
        (None, {"paper"}),
    ],
)  # fmt: skip
async def test_invalid_input_names_the_fields(payload: Any, paths: set[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        await summarize.run(b"" if payload is None else json.dumps(payload).encode())
    assert caught.value.code == "INVALID_INPUT"
    assert set(caught.value.details) == paths
    assert "paper.summarize@1.0" in caught.value.message
    assert all(
        path in caught.value.message for path in sorted(paths, key=list(caught.value.details).index)[:1]
    )


@pytest.mark.parametrize("payload", [b"{", b"\xff", b'{"paper": NaN}', b"[" * 10_000])
async def test_input_that_is_not_json(payload: bytes) -> None:
    with pytest.raises(
        InvalidInput, match=r"the call of paper\.summarize@1\.0: the payload is not JSON"
    ) as caught:
        await summarize.run(payload)
    assert list(caught.value.details) == [""]


async def test_a_raised_exception_is_named_and_its_traceback_only_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class OutOfInkError(Exception):
        pass

    async def fails(page: int) -> None:
        raise OutOfInkError(f"page {page}\nof 3")

    with caplog.at_level(logging.ERROR, logger="loom.capability"), pytest.raises(CapabilityError) as caught:
        await answer(fails, {"page": 2})
    assert caught.value.code == "CAPABILITY_ERROR"
    assert caught.value.message == "test.it raised OutOfInkError: page 2 of 3"
    assert caught.value.details["exception"].endswith("OutOfInkError")
    assert "Traceback" not in caught.value.message + str(caught.value.details)
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is OutOfInkError


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("error", [SystemExit(3), ValueError(), KeyError("k"), StopIteration()])
async def test_whatever_it_raises_only_the_call_fails(error: BaseException, is_async: bool) -> None:
    async def fails_async() -> None:
        raise error

    def fails() -> None:
        raise error

    with pytest.raises(CapabilityError, match=r"test\.it raised"):
        await answer(fails_async if is_async else fails)


async def test_a_long_or_unreadable_exception_is_bounded() -> None:
    class UnreadableError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def long() -> None:
        raise ValueError("x" * 1_000_000)

    def unreadable() -> None:
        raise UnreadableError

    with pytest.raises(CapabilityError) as caught:
        await answer(long)
    assert len(caught.value.message) < 2_100
    with pytest.raises(CapabilityError, match="its text cannot be read"):
        await answer(unreadable)


async def test_an_error_of_its_own_passes_untouched() -> None:
    def refuses() -> None:
        raise CapabilityError("no quota left; ask tomorrow", code="QUOTA", details={"left": "0"})

    with pytest.raises(CapabilityError) as caught:
        await answer(refuses)
    assert (caught.value.code, caught.value.details) == ("QUOTA", {"left": "0"})


@pytest.mark.parametrize(
    "error", [InvalidInput("inner", details={"i": "x"}), DeadlineExceeded("inner"), CapabilityError("inner")]
)
async def test_the_errors_of_calls_it_makes_are_not_mistaken_for_the_callers(error: Exception) -> None:
    async def calls_another() -> None:
        raise error

    with pytest.raises(CapabilityError, match=f"raised {type(error).__name__}: inner"):
        await answer(calls_another)


@pytest.mark.parametrize(
    ("annotation", "result", "path"),
    [
        (int, "many", ""),
        (list[int], [1, "x"], "1"),
        (Summary, {"text": "t"}, "words"),
        (Paper, {"title": "t", "authors": [{}]}, "authors.0.name"),
        (None, 1, ""),
        (Any, object(), ""),
        (Any, {"b": b"\xff"}, ""),
        (Mood, "sad", ""),
        (bytes, 3, ""),
    ],
)
async def test_invalid_output_names_the_field(
    annotation: Any, result: Any, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    def gives():  # its annotation is the parameter of this test
        return result

    gives.__annotations__["return"] = annotation
    with pytest.raises(InvalidOutput) as caught:
        await answer(gives)
    assert caught.value.code == "INVALID_OUTPUT"
    assert list(caught.value.details) == [path]
    assert "the answer of test.it does not fit" in caught.value.message
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_a_model_spoilt_after_its_validation_is_noticed() -> None:
    def spoilt() -> Author:
        author = Author(name="Ada")
        author.name = 3  # type: ignore[assignment]  # the point
        return author

    with pytest.raises(InvalidOutput):
        await answer(spoilt)


async def test_output_is_validated_into_its_type() -> None:
    class Row(BaseModel):
        key: str = Field(serialization_alias="k")

    def rows() -> list[Row]:
        return [Row(key="a"), {"key": "b"}]  # type: ignore[list-item]  # validated into the annotation

    def moods() -> dict[str, Mood]:
        return {"now": Mood.BAD}

    assert await answer(rows) == [{"k": "a"}, {"k": "b"}]
    assert await answer(moods) == {"now": "bad"}


async def test_bytes_and_text() -> None:
    def raw() -> bytes:
        return b"\xff\x00"

    def text() -> str:
        return "hello"

    def nothing() -> None: ...

    assert await Capability(raw, "raw").run(b"") == b"\xff\x00"
    assert await Capability(text, "text").run(b"") == b'"hello"'
    assert await Capability(nothing, "nothing").run(b"") == b"null"


async def test_a_synchronous_function_runs_off_the_loop_with_its_context_variables() -> None:
    def who() -> list[Any]:
        return [user.get(), threading.get_ident()]

    user.set("ada")
    name, thread = await answer(who)
    assert name == "ada"
    assert thread != threading.get_ident()


async def test_a_wrapped_coroutine_is_awaited() -> None:
    def logged(function: Callable[..., Awaitable[int]]) -> Callable[..., Awaitable[int]]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Awaitable[int]:
            return function(*args, **kwargs)

        return wrapper

    @logged
    async def double(value: int) -> int:
        return value * 2

    assert await answer(double, {"value": 4}) == 8


async def test_the_context_is_handed_over() -> None:
    async def who(ctx, name: str) -> list[Any]:  # `ctx` needs no annotation
        return [ctx, name]

    assert await answer(who, {"name": "n"}, context="the context") == ["the context", "n"]


async def test_a_cancelled_call_is_cancelled() -> None:
    started = asyncio.Event()

    async def waits() -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(answer(waits))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_something_cancelled_inside_is_an_error_of_the_capability() -> None:
    async def awaits_what_was_cancelled() -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    with pytest.raises(CapabilityError, match="raised CancelledError"):
        await answer(awaits_what_was_cancelled)


@pytest.mark.parametrize("name", ["", "two words", "a..b", "a.*", ">", "ä", "x" * 256, "a.b\n"])
def test_malformed_names(name: str) -> None:
    with pytest.raises(DefinitionError, match="has a malformed name"):
        capability(name)(len_of)


@pytest.mark.parametrize("value", [0, -1, True, 1.5])
def test_malformed_concurrency(value: Any) -> None:
    with pytest.raises(DefinitionError, match="give a whole number from 1"):
        capability("x", max_concurrency=value)(len_of)


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf")])
def test_malformed_timeout(value: float) -> None:
    with pytest.raises(DefinitionError, match="give seconds above 0"):
        capability("x", timeout=value)(len_of)


def test_what_cannot_be_described_is_refused_at_once() -> None:
    with pytest.raises(DefinitionError, match=r"capability 'x' takes \*\*rest"):

        @capability("x")
        def loose(**rest: int) -> None: ...


class Score(BaseModel):
    best: float
    worst: float | None = None


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {"a": [x]}, lambda x: Score(best=x)])
async def test_a_number_that_json_does_not_know_is_no_answer(number, wrap):
    with pytest.raises(InvalidOutput, match="NaN and infinities cannot be written as JSON"):
        await answer(lambda: wrap(number))

    def annotated() -> dict[str, Score]:
        return {"a": Score(best=number)}

    with pytest.raises(InvalidOutput, match="answer None or a text instead"):
        await answer(annotated)


async def test_none_is_an_answer_beside_numbers():
    assert await answer(lambda: [Score(best=1.5), "NaN"]) == [{"best": 1.5, "worst": None}, "NaN"]
