"""Handlers: what a function may take, and what it gets."""

import threading
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel

from loom.context import Context
from loom.errors import DefinitionError, InvalidInput, PayloadError
from loom.event import Event
from loom.handler import Handler, Routes
from loom.registration import Subscription
from loom.v1 import event_pb2

TOPIC = Subscription("paper.*")


class Paper(BaseModel):
    title: str


@dataclass
class Note:
    text: str


def event(payload=b'{"title": "x"}', topic="paper.new", type="new"):
    return Event.from_message(topic, event_pb2.Event(type=type, payload=payload))


async def got(function, payload=b'{"title": "x"}', subscription=TOPIC):
    """What the function gets, with the text "context" for a Context."""
    seen = []
    handler = Handler.of(function(seen), subscription)
    await handler.run("context", event(payload))
    return seen


async def test_ctx_and_payload_in_any_order():
    def both(seen):
        async def handler(ctx: Context, paper: Paper) -> None:
            seen.extend([ctx, paper])

        return handler

    def swapped(seen):
        async def handler(paper: Paper, where: Context) -> None:
            seen.extend([where, paper])

        return handler

    assert await got(both) == await got(swapped) == ["context", Paper(title="x")]


@pytest.mark.parametrize(
    ("annotation", "payload", "value"),
    [
        (Paper, b'{"title": "x"}', Paper(title="x")),
        (Note, b'{"text": "x"}', Note("x")),
        (dict, b'{"a": 1}', {"a": 1}),
        (dict[str, int], b'{"a": 1}', {"a": 1}),
        (list[int], b"[1, 2]", [1, 2]),
        (int, b"3", 3),
        (str, b'"x"', "x"),
        (bytes, b"\x00\xff", b"\x00\xff"),
        (Any, b"[1]", [1]),
        (Paper | None, b"null", None),
    ],
)
async def test_the_annotation_says_what_it_gets(annotation, payload, value):
    def make(seen):
        async def handler(data) -> None:
            seen.append(data)

        handler.__annotations__["data"] = annotation
        return handler

    assert await got(make, payload) == [value]


async def test_no_annotation_is_plain_data_and_event_is_the_raw_event():
    def plain(seen):
        async def handler(data) -> None:
            seen.append(data)

        return handler

    def raw(seen):
        async def handler(data: Event) -> None:
            seen.append(data)

        return handler

    assert await got(plain) == [{"title": "x"}]
    assert await got(raw, b"{") == [event(b"{")]
    assert await got(plain, subscription=None) == [event()]  # on_event


async def test_ctx_alone_and_nothing_at_all():
    def context(seen):
        async def handler(ctx) -> None:
            seen.append(ctx)

        return handler

    def nothing(seen):
        async def handler() -> None:
            seen.append("called")

        return handler

    assert await got(context, b"{") == ["context"]
    assert await got(nothing, b"{") == ["called"]


async def test_a_synchronous_function_runs_in_a_thread_and_may_give_an_awaitable():
    def make(seen):
        async def rest():
            seen.append(threading.current_thread())

        def handler(ctx):
            seen.append(threading.current_thread())
            return rest()

        return handler

    first, second = await got(make)
    assert first is not threading.main_thread()
    assert second is threading.main_thread()


async def test_methods_are_handlers_too():
    class Desk:
        def __init__(self, seen):
            self.seen = seen

        async def take(self, ctx, paper: Paper):
            self.seen.append(paper)

    assert await got(lambda seen: Desk(seen).take) == [Paper(title="x")]


async def test_a_payload_that_does_not_fit():
    async def handler(paper: Paper) -> None: ...

    made = Handler.of(handler, TOPIC)
    with pytest.raises(InvalidInput, match="the payload of new does not fit Paper: field 'title'"):
        await made.run(None, event(b"{}"))
    with pytest.raises(PayloadError):
        await made.run(None, event(b"{"))


def three(ctx, one, two): ...
def keyword(ctx, *, paper: Paper): ...
def rest(*papers): ...
def more(**papers): ...
def unknown(paper: "Nowhere"): ...  # type: ignore[name-defined]  # noqa: F821 - that is the point
def strange(paper: threading.Lock): ...
def yields(ctx):
    yield 1


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (three, "takes 3 parameters; it may take ctx and one payload"),
        (keyword, "takes paper; it may take ctx and one payload"),
        (rest, r"takes \*papers; it may take"),
        (more, r"takes \*\*papers; it may take"),
        (unknown, "names 'Nowhere', which is not known there"),
        (strange, "cannot be validated"),
        (yields, "yields"),
        (3, "declare it on a function"),
    ],
)
def test_what_is_no_handler_is_refused_where_it_is_declared(function, message):
    with pytest.raises(DefinitionError, match=message) as caught:
        Handler.of(function, TOPIC)
    assert "\n" not in str(caught.value)


def test_routes_are_by_topic_and_type_in_the_order_of_declaration():
    async def function(ctx): ...

    everything = Handler.of(function, None)
    papers = Handler.of(function, TOPIC)
    typed = Handler.of(function, Subscription("paper.>", types=("new",)))
    routes = Routes((everything, papers, typed))
    assert routes.of(event(topic="paper.x", type="new")) == (everything, papers, typed)
    assert routes.of(event(topic="paper.x", type="old")) == (everything, papers)
    assert routes.of(event(topic="other", type="new")) == (everything,)
    assert routes.of(event(topic="paper.x", type="old")) == (everything, papers)
