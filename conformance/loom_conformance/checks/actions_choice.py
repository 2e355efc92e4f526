"""ACT-6: which of several providers is given the next call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom_conformance import Bench, check, expect
from loom_conformance.calling import descriptor, taker

if TYPE_CHECKING:
    from loom.v1 import action_pb2
    from loom_conformance.peer import Peer
    from loom_conformance.stream import Stream


class Providers:
    """Some providers, and a caller whose calls go to one of them."""

    def __init__(self, caller: Peer, streams: list[Stream]) -> None:
        self._caller = caller
        self._streams = streams

    async def next(self, name: str) -> tuple[Stream, action_pb2.ActionCall]:
        """Calls, and gives who got it."""
        return await taker(self._caller.invoke(name, timeout_ms=60_000), *self._streams)

    async def names(self, name: str, times: int, *, answering: bool) -> list[str]:
        """Who gets the next calls, one after the other."""
        found = []
        for _ in range(times):
            stream, call = await self.next(name)
            found.append(stream.who)
            if answering:
                await stream.answer(call)
                await stream.until_pong()
        return found


async def joined(bench: Bench, **capabilities: list[str]) -> Providers:
    """Providers by name, in the order of their registration."""
    streams = [await provider(bench, who, names) for who, names in capabilities.items()]
    return Providers(bench.peer("caller"), streams)


async def provider(bench: Bench, who: str, names: list[str]) -> Stream:
    """An agent that offers these capabilities."""
    stream = await bench.join(bench.id(who), capabilities=[descriptor(name) for name in names])
    stream.who = who
    return stream


@check("ACT-6.1")
async def the_least_busy_is_chosen(bench: Bench) -> None:
    """Two providers have a call each; the one that was given its call last answers, and gets the next."""
    name = bench.capability("c")
    providers = await joined(bench, one=[name], two=[name])
    await providers.next(name)
    second, call = await providers.next(name)
    await second.answer(call)
    await second.until_pong()
    third, _ = await providers.next(name)
    expect.equal(third.who, second.who, "who is given the next call: the only one with none open")


@check("ACT-6.1")
async def open_calls_are_spread_evenly(bench: Bench) -> None:
    """Six calls that nobody answers, over three providers: two each."""
    name = bench.capability("c")
    providers = await joined(bench, one=[name], two=[name], three=[name])
    names = await providers.names(name, 6, answering=False)
    shares = {who: names.count(who) for who in ("one", "two", "three")}
    expect.equal(shares, {"one": 2, "two": 2, "three": 2}, "how many of six open calls each provider has")


@check("ACT-6.2")
async def idle_providers_take_turns(bench: Bench) -> None:
    """Five calls, each answered at once: two providers are given them in turn."""
    name = bench.capability("c")
    providers = await joined(bench, one=[name], two=[name])
    names = await providers.names(name, 5, answering=True)
    expect.equal(names, ["one", "two", "one", "two", "one"], "who is given each of five calls")


@check("ACT-6.3")
async def the_first_registered_begins(bench: Bench) -> None:
    """Three providers that had no call yet, registered in another order than that of their ids."""
    name = bench.capability("c")
    providers = await joined(bench, z=[name], a=[name], m=[name])
    names = await providers.names(name, 3, answering=True)
    expect.equal(names, ["z", "a", "m"], "who is given the first three calls")


@check("ACT-6.4")
async def calls_of_other_capabilities_count(bench: Bench) -> None:
    """A provider that works on a call of another capability is given nothing while its fellow is idle."""
    shared, other = bench.capability("shared"), bench.capability("other")
    providers = await joined(bench, busy=[shared, other], idle=[shared])
    expect.equal((await providers.next(other))[0].who, "busy", "who is given the call that only one offers")
    names = await providers.names(shared, 3, answering=True)
    expect.equal(names, ["idle"] * 3, "who is given three calls that both offer")
