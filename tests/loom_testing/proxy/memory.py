"""Two ends of a connection in memory, and a clock that is moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from loom.testing.v1 import control_pb2 as c
from loom.timers import Timer, Timers
from loom_testing.proxy.signals import Signal
from loom_testing.proxy.wire import Headers, Wire
from tests.loom_testing.peers import PATIENCE, Peer

__all__ = ["Ears", "HandClock", "Pair", "Pipe", "connected", "virtual_namespace"]


async def virtual_namespace(peer: Peer, name: str = "ns") -> None:
    """Makes a namespace whose clock is a test's."""
    request = c.CreateNamespaceRequest(namespace=name, virtual_clock=True)
    await peer.control.CreateNamespace(request, timeout=PATIENCE)


class Pipe(asyncio.Transport):
    """One direction of a connection: what is written waits until it flows."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.how_it_ended = ""

    def write(self, data: Any) -> None:
        assert not self.how_it_ended, "written after the end"
        self.written.append(bytes(data))

    def close(self) -> None:
        self.how_it_ended = self.how_it_ended or "closed"

    def abort(self) -> None:
        self.how_it_ended = "aborted"

    def is_closing(self) -> bool:
        return bool(self.how_it_ended)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self

    def setsockopt(self, *_: object) -> None:
        raise OSError("this is no TCP")

    def take(self) -> bytes:
        """What was written and has not flowed yet."""
        data, self.written = b"".join(self.written), []
        return data


class Ears:
    """Whoever is told of a connection: it notes what it hears, and takes bytes in unless told otherwise."""

    def __init__(self, *, takes: bool = True) -> None:
        self.heard: list[tuple[Any, ...]] = []
        self.takes = takes
        self.act: Callable[[Wire, int], object] = lambda wire, stream: None
        """What it does when a call begins or is answered."""
        self.act_on_room: Callable[[Wire, int], object] = lambda wire, stream: None
        """What it does when there is room again."""

    def on_settings(self, wire: Wire) -> None:
        self.heard.append(("settings",))

    def on_headers(self, wire: Wire, stream: int, headers: Headers, *, ended: bool) -> None:
        self.heard.append(("headers", stream, headers, ended))
        self.act(wire, stream)

    def on_data(self, wire: Wire, stream: int, data: bytes, *, ended: bool) -> None:
        self.heard.append(("data", stream, data, ended))
        if self.takes:
            wire.taken(stream, len(data))

    def on_reset(self, wire: Wire, stream: int, code: int) -> None:
        self.heard.append(("reset", stream, code))

    def on_room(self, wire: Wire, stream: int) -> None:
        self.heard.append(("room", stream))
        self.act_on_room(wire, stream)

    def on_signal(self, wire: Wire, signal: Signal, payload: bytes) -> None:
        self.heard.append(("signal", signal, payload))

    def on_lost(self, wire: Wire, *, in_order: bool) -> None:
        self.heard.append(("lost", in_order))

    def take(self, *kinds: str) -> list[tuple[Any, ...]]:
        """What was heard, of these kinds; it is forgotten."""
        heard, self.heard = self.heard, []
        return [item for item in heard if item[0] in kinds]

    def data(self, stream: int = 1) -> bytes:
        """All bytes of a call so far."""
        return b"".join(item[2] for item in self.heard if item[0] == "data" and item[1] == stream)


class Pair:
    """A client's and a server's wire.

    Attributes:
        client, server: the wires.
        at_client, at_server: who is told.
    """

    def __init__(self, *, greets: bool = True, takes: bool = True) -> None:
        self.at_client, self.at_server = Ears(takes=takes), Ears(takes=takes)
        self.client = Wire(self.at_client, client_side=True)
        self.server = Wire(self.at_server, client_side=False, greets=greets)
        self.up, self.down = Pipe(), Pipe()
        self.client.connection_made(self.up)
        self.server.connection_made(self.down)

    def flow(self, piece: int = 0) -> None:
        """Everything that was written arrives, and what is written because of that; in pieces if wanted."""
        while (up := self.up.take()) + (down := self.down.take()):
            for wire, data in (self.server, up), (self.client, down):
                size = piece or len(data) or 1
                for start in range(0, len(data), size):
                    wire.data_received(data[start : start + size])


def connected(*, takes: bool = True) -> Pair:
    """A pair that has exchanged its settings."""
    pair = Pair(takes=takes)
    pair.flow()
    pair.at_client.take()
    pair.at_server.take()
    return pair


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self, now: int = 1_000, *, is_virtual: bool = False) -> None:
        self.is_virtual = is_virtual
        self.time = now
        self.timers = Timers()

    def now(self) -> int:
        return self.time

    def call_at(self, when: int, owner: str, act: Callable[[], object]) -> Timer:
        return self.timers.add(when, owner, act)

    def advance(self, micros: int) -> None:
        """Moves it, timer by timer."""
        end = self.time + micros
        while (timer := self.timers.next()) is not None and timer.when <= end:
            self.time = max(self.time, timer.when)
            self.timers.fire_next(self.time)
        self.time = end
