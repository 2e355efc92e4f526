"""`Link`: one client's connection, and its counterpart to the bridge. It is a `Handler` of both.

When one of the two is lost, so is the other: the bridge sees a client's end as it would without a proxy, and
the client the bridge's.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import h2.settings

from loom_testing.faults.message import Direction
from loom_testing.proxy.call import Call
from loom_testing.proxy.headers import found
from loom_testing.proxy.signals import Signal
from loom_testing.proxy.taking_part import TakingPart
from loom_testing.proxy.wire import Wire
from loom_testing.transcript.entry import Way

if TYPE_CHECKING:
    from collections.abc import Callable

    from loom_testing.proxy.proxy import Proxy
    from loom_testing.proxy.wire import Headers

__all__ = ["Link"]

log = logging.getLogger("loom_testing.proxy")

PARTICIPATE = b"/loom.testing.v1.Control/Participate"
STREAMS = h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS
MOST_STREAMS = 2**31 - 1


class Link:
    """One client's connection.

    Attributes:
        proxy: what it belongs to.
        down: the client's connection.
        agent: who spoke over it last as an agent; empty for nobody.
        is_stalled: whether nothing crosses it.

    Args:
        proxy: what it belongs to.
    """

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.agent = ""
        self.down = Wire(self, client_side=False, greets=False)
        self._up: Wire | None = None
        self._calls: dict[int, Call] = {}
        self._by_up: dict[int, Call] = {}
        self._participating: dict[int, TakingPart] = {}
        self._stalls: set[int] = set()
        self._deferred: list[Callable[[], object]] = []
        self._lost_by: Way | None = None
        self._dialling = asyncio.create_task(self._dial(), name="loom-proxy-dial")

    @property
    def is_stalled(self) -> bool:
        """Whether nothing crosses it."""
        return bool(self._stalls)

    @property
    def is_up(self) -> bool:
        """Whether its connection to the bridge stands."""
        return self._up is not None and self._up.is_open

    @property
    def agents(self) -> set[str]:
        """The agents that speak over it."""
        return {name for name in (self.agent, *(call.agent for call in self._calls.values())) if name}

    async def _dial(self) -> None:
        try:
            self._take(await self.proxy.dial.open(self))
        except OSError as error:
            log.info("the bridge at %s cannot be reached: %s", self.proxy.dial.endpoint.address, error)
            self._lose(Way.RECEIVED)

    def _take(self, up: Wire) -> None:
        """The connection to the bridge stands."""
        if self._up is None:
            self._up = up
            if self.is_stalled:
                up.hold()
        if self._lost_by is not None:
            up.abort()

    # Faults of the connection.

    def cut(self) -> None:
        """Loses it: both sides see it reset."""
        self._lose(Way.RECEIVED)

    def stall(self, fault: int) -> None:
        """Nothing crosses it any more, and nobody is told: what a side sends, or that it is gone."""
        self._stalls.add(fault)
        for wire in self._wires():
            wire.hold()

    def let_go(self, fault: int) -> None:
        """What this fault holds back goes on."""
        if fault in self._stalls:
            self._stalls.discard(fault)
            if not self._stalls:
                self._go_on()
        for call in list(self._calls.values()):
            call.let_go(fault)

    def when_it_goes_on(self, act: Callable[[], object]) -> None:
        """Does something now, or, where the connection is stopped, when it goes on."""
        if self.is_stalled:
            self._deferred.append(act)
        else:
            act()

    def _go_on(self) -> None:
        for wire in self._wires():
            wire.release()
        deferred, self._deferred = self._deferred, []
        for act in deferred:
            act()
        for call in list(self._calls.values()):
            call.pump()

    @property
    def _outlives_the_bridge(self) -> bool:
        """Whether it only carries parts in a clock that goes on when the test kills its bridge."""
        parts = self._participating.values()
        return (
            self._lost_by is None and bool(parts) and not self._calls and all(part.is_kept for part in parts)
        )

    def _wires(self) -> list[Wire]:
        return [self.down] if self._up is None else [self.down, self._up]

    def close(self) -> None:
        """The proxy stops."""
        self._dialling.cancel()
        self._lose(Way.RECEIVED)
        for wire in self._wires():  # one that was hung up may wait for ever for its peer to read
            wire.abort()

    # As a handler.

    def on_settings(self, wire: Wire) -> None:
        """The bridge says how many calls it takes at once; so does the proxy, then."""
        if wire is self.down:
            return
        self._take(wire)  # it may say so before `_dial` goes on
        if not self.down.is_greeted and self.down.is_open:
            streams = wire.peer_settings.get(STREAMS, MOST_STREAMS)
            self.down.greet({STREAMS: min(streams, MOST_STREAMS)})

    def on_headers(self, wire: Wire, stream: int, headers: Headers, *, ended: bool) -> None:
        """A call begins, is answered, or ends."""
        if wire is not self.down:
            call = self._by_up.get(stream)
            if call is not None:
                call.on_answer(headers, ended=ended)
        elif stream in self._calls:
            if ended:  # a client's trailers say no more than that
                self._calls[stream].on_end(Direction.TO_BRIDGE, None)
        elif found(headers, b":path") == PARTICIPATE:
            self._participating[stream] = TakingPart(self, stream)
        elif self._up is None:
            self._lose(Way.RECEIVED)  # it outlived the bridge that it was for
        else:
            call = self._calls[stream] = Call(self, stream, headers)
            if call.is_over:
                del self._calls[stream]
            elif ended:
                call.on_end(Direction.TO_BRIDGE, None)

    def on_data(self, wire: Wire, stream: int, data: bytes, *, ended: bool) -> None:
        """Bytes of a call."""
        if wire is self.down and stream in self._participating:
            self._participating[stream].on_data(data, ended=ended)
            wire.taken(stream, len(data))
            return
        call = (self._calls if wire is self.down else self._by_up).get(stream)
        if call is None:
            wire.taken(stream, len(data))
        else:
            direction = Direction.TO_BRIDGE if wire is self.down else Direction.TO_AGENT
            call.on_data(direction, data, ended=ended)

    def on_reset(self, wire: Wire, stream: int, code: int) -> None:
        """A side broke a call."""
        if wire is self.down and stream in self._participating:
            self._participating[stream].close()
            return
        call = (self._calls if wire is self.down else self._by_up).get(stream)
        if call is not None:
            call.on_reset(Direction.TO_BRIDGE if wire is self.down else Direction.TO_AGENT, code)

    def on_room(self, wire: Wire, stream: int) -> None:
        """More of a call may go out."""
        calls = self._calls if wire is self.down else self._by_up
        for call in [calls[stream]] if stream in calls else [] if stream else list(calls.values()):
            call.pump()

    def on_signal(self, wire: Wire, signal: Signal, payload: bytes) -> None:
        """A ping is answered by who is asked, not by the proxy. Where the bridge stops, so does the proxy."""
        if wire is not self.down:
            self.down.signal(signal, payload)
        elif self._up is not None and signal is not Signal.GOAWAY:
            self._up.signal(signal, payload)
        elif signal is Signal.PING:
            self.down.signal(Signal.PONG, payload)

    def on_lost(self, wire: Wire, *, in_order: bool) -> None:
        """One of the two connections is over. Across a dead cable nobody is told."""
        self._forget_if_over()
        if wire is self._up and self._outlives_the_bridge:
            self._up = None
        else:
            self._on_lost(wire, in_order=in_order)
        self.proxy.note_change()

    def _on_lost(self, wire: Wire, *, in_order: bool) -> None:
        way = Way.SENT if wire is self.down else Way.RECEIVED
        if self.is_stalled and way is Way.SENT:
            for call in list(self._calls.values()):
                call.leave_quietly()
        self.when_it_goes_on(lambda: self._lose(way, in_order=in_order))

    # The bridge's side, for calls.

    def up_open(self, call: Call, headers: Headers) -> int:
        """Begins a call there.

        Raises:
            h2.exceptions.ProtocolError: the bridge takes no more.
        """
        assert self._up is not None  # the client is greeted only then
        scheme = self.proxy.dial.scheme
        rewritten = [(name, scheme if name == b":scheme" else value) for name, value in headers]
        stream = self._up.open(rewritten)
        self._by_up[stream] = call
        return stream

    def up_has_room(self, stream: int) -> bool:
        """Whether the bridge takes more of it."""
        return self._up is not None and self._up.has_room(stream)

    def up_data(self, stream: int, data: bytes) -> None:
        """Bytes for the bridge."""
        if self._up is not None:
            self._up.data(stream, data)

    def up_end(self, stream: int) -> None:
        """The client says no more."""
        if self._up is not None:
            self._up.end(stream)

    def up_reset(self, stream: int, code: int) -> None:
        """The call is broken."""
        if self._up is not None:
            self._up.reset(stream, code)

    def up_taken(self, stream: int, size: int) -> None:
        """So many bytes of the bridge's have gone on."""
        if self._up is not None and stream:
            self._up.taken(stream, size)

    # The client's side, for calls.

    def down_has_room(self, stream: int) -> bool:
        """Whether the client takes more of it."""
        return self.down.has_room(stream)

    def down_headers(self, stream: int, headers: Headers) -> None:
        """What begins an answer."""
        self.down.headers(stream, headers)

    def down_data(self, stream: int, data: bytes) -> None:
        """Bytes for the client."""
        self.down.data(stream, data)

    def down_end(self, stream: int, trailers: Headers | None) -> None:
        """The bridge says no more."""
        self.down.end(stream, trailers)

    def down_reset(self, stream: int, code: int) -> None:
        """The call is broken."""
        self.down.reset(stream, code)

    def down_taken(self, stream: int, size: int) -> None:
        """So many bytes of the client's have gone on."""
        self.down.taken(stream, size)

    def forget(self, call: Call) -> None:
        """The call is over."""
        self._calls.pop(call.down, None)
        self._by_up.pop(call.up, None)

    def forget_part(self, stream: int) -> None:
        """The participant has left."""
        self._participating.pop(stream, None)

    def _lose(self, way: Way, *, in_order: bool = False) -> None:
        """Both connections are over: in order, so that what was said still arrives, or reset."""
        if self._lost_by is not None:
            return
        self._lost_by = way
        for call in list(self._calls.values()):
            call.on_lost(way)
        for part in list(self._participating.values()):
            part.close()
        for wire in self._wires():
            if in_order:
                wire.hang_up()
            else:
                wire.abort()
        self._forget_if_over()

    def _forget_if_over(self) -> None:
        """Forgets the link when both connections are gone; until then `close` has something to break."""
        if self._lost_by is not None and not any(wire.is_open for wire in self._wires()):
            self.proxy.forget(self)
