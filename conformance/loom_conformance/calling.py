"""What checks about calls have in common: who was given a call, and how many are open."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from loom.v1 import action_pb2
from loom_conformance import expect
from loom_conformance.expect import Violation, shown
from loom_conformance.stream import End

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom_conformance.bench import Bench
    from loom_conformance.peer import Invocation, Peer
    from loom_conformance.stream import Stream

__all__ = [
    "answered",
    "calls_in",
    "descriptor",
    "given",
    "in_the_end",
    "not_given",
    "open_calls",
    "signed",
    "taker",
]

SETTLED_S = 5.0
"""How long what is about to happen to a call may take, seconds of real time."""


def descriptor(name: str, version: str = "", *, most: int | None = None) -> action_pb2.CapabilityDescriptor:
    """A capability; `most` is its loom.max_concurrency."""
    metadata = {} if most is None else {"loom.max_concurrency": str(most)}
    return action_pb2.CapabilityDescriptor(name=name, version=version, metadata=metadata)


def signed(caller: str, **headers: str) -> dict[str, str]:
    """The headers of a call by a caller with a name."""
    return {"x-agent-id": caller, **headers}


async def given(provider: Stream, call: Invocation) -> action_pb2.ActionCall:
    """The call, as its provider is given it.

    Raises:
        Violation: the provider is sent something else or nothing, or the caller was answered instead.
    """
    return (await taker(call, provider))[1]


async def taker(call: Invocation, *providers: Stream) -> tuple[Stream, action_pb2.ActionCall]:
    """Which of the providers is given the call, and the call as it is given.

    Raises:
        Violation: none of them, or the caller was answered instead.
    """
    provider, got = await _first(call, providers)
    if provider is None:
        names = " or ".join(provider.who for provider in providers)
        outcome = f"{got.code.name} ({got.details})" if isinstance(got, End) else shown(got)
        raise Violation("the call", f"it to be given to {names}", f"an answer to its caller: {outcome}")
    if got.WhichOneof("msg") != "action_call":
        raise Violation(f"what {provider.who} received", "the call", shown(got))
    return provider, got.action_call


async def answered(call: Invocation, *providers: Stream) -> action_pb2.ActionResult:
    """The result of a call that the bridge answers by itself, at once.

    Raises:
        Violation: it failed with a gRPC status, or one of the providers was sent something.
    """
    provider, got = await _first(call, providers)
    if provider is not None:
        raise Violation(
            "the call", "an answer of the bridge's own", f"{provider.who} being sent {shown(got)}"
        )
    return await call.result()


async def _first(call: Invocation, providers: Sequence[Stream]) -> tuple[Stream | None, Any]:
    """What comes first: a message to one of the providers, or (then there is none) the call's outcome."""
    reading = {asyncio.create_task(provider.read()): provider for provider in providers}
    outcome = asyncio.create_task(call.outcome())
    tasks: list[asyncio.Task[Any]] = [*reading, outcome]
    done, pending = await asyncio.wait(tasks, timeout=SETTLED_S, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()  # what it was about to read stays with its stream
    await asyncio.gather(*tasks, return_exceptions=True)
    for task, provider in reading.items():
        if task in done:
            return provider, task.result()
    if outcome in done:
        return None, outcome.result()
    names = " or ".join(provider.who for provider in providers)
    raise Violation("the call", f"an answer, or it to be given to {names}", f"nothing within {SETTLED_S:g} s")


async def in_the_end(call: Invocation) -> action_pb2.ActionResult | End:
    """How a call ends that may take until the grace is over, which is longer than a check waits otherwise.

    Raises:
        Violation: it does not end.
    """
    with contextlib.suppress(Violation):
        return await call.outcome()
    return await call.outcome()


async def calls_in(provider: Stream) -> list[action_pb2.ActionCall]:
    """The calls among everything that the bridge had for a provider."""
    seen = await provider.until_pong()
    return [event.action_call for event in seen if event.WhichOneof("msg") == "action_call"]


async def not_given(provider: Stream, what: str) -> None:
    """The bridge has no call for the provider."""
    expect.nothing(await calls_in(provider), f"calls given to {provider.who}, {what}")


async def open_calls(bench: Bench, caller: Peer, number: int, *, callers: int | None = None) -> None:
    """Waits until so many calls are open, and so many callers wait for them (as many, unless they joined).

    What comes next comes after them. Where the bridge cannot be looked into, an answer on the same connection
    has to do.
    """
    for stamp in range(2):
        await caller.heartbeat(stamp)
    if "control" in bench.declared.features:
        await _until_open(bench, (number, number if callers is None else callers))


async def _until_open(bench: Bench, wanted: tuple[int, int]) -> None:
    seen = (0, 0)

    async def so_many() -> bool:
        nonlocal seen
        calls = (await bench.control.snapshot()).calls
        seen = len(calls), sum(call.waiters for call in calls)
        return seen == wanted

    try:
        await bench.eventually(so_many, "the open calls", within=SETTLED_S)
    except Violation:
        raise Violation("the open calls", _shown(*wanted), _shown(*seen)) from None


def _shown(calls: int, callers: int) -> str:
    return f"{calls} with {callers} callers"
