"""`Proxy`: listens in front of a bridge."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from loom_testing.faults.rules import Rules
from loom_testing.proxy.clocks import Clocks
from loom_testing.proxy.dialling import Dial
from loom_testing.proxy.link import Link
from loom_testing.transcript.recorder import Recorder

if TYPE_CHECKING:
    from loom.endpoint import Endpoint
    from loom_testing.proxy.wire import Wire
    from loom_testing.transcript.entry import Way

__all__ = ["Proxy"]

LOOPBACK = "127.0.0.1"
LOST_S = 5.0
"""How long the end of a killed bridge may take to be heard."""
KEPT = ("authorization", "loom-", "traceparent", "tracestate", "x-")


class Proxy:
    """A proxy in front of one bridge.

    Attributes:
        address: where it listens, as `host:port`; empty before it does.
        rules: the faults in force.
        recorder: what has crossed.
        dial: how to reach the bridge.
        clocks: by which messages wait.

    Args:
        bridge: where the bridge is. Whoever connects names the namespace and brings the token.
        rules: the faults in force; none of its own.
        recorder: what to record with.

    Raises:
        ConfigError: a TLS file of the bridge's cannot be read.
    """

    def __init__(
        self, bridge: Endpoint, *, rules: Rules | None = None, recorder: Recorder | None = None
    ) -> None:
        self.address = ""
        self.rules = rules or Rules()
        self.recorder = Recorder() if recorder is None else recorder  # an empty one is false
        self.dial = Dial(bridge)
        self.clocks = Clocks(self.dial, self._passed)
        self._links: set[Link] = set()
        self._change: asyncio.Future[None] | None = None
        self._server: asyncio.Server | None = None

    async def start(self, host: str = LOOPBACK, port: int = 0) -> Self:
        """Begins to listen.

        Args:
            host: on which address.
            port: which port; 0 for one that is free.

        Raises:
            OSError: it cannot listen there.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connected, host, port)
        name, number = self._server.sockets[0].getsockname()[:2]
        self.address = f"[{name}]:{number}" if ":" in name else f"{name}:{number}"
        self.rules.shell = self
        return self

    async def close(self) -> None:
        """Stops: every connection is lost."""
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.close()
        await self.clocks.close()
        while self._links:
            await self._changed()
        if self._server is not None:
            await self._server.wait_closed()

    async def retarget(self, bridge: Endpoint) -> None:
        """The bridge is elsewhere now: connections that are made from here on go there."""
        self.dial.endpoint = bridge
        await self.clocks.join_again()

    async def until_lost(self) -> None:
        """Waits until no connection to the bridge is left: it was killed, and each end is told of.

        Raises:
            TimeoutError: some are left after `LOST_S`; whatever was killed was not who holds them.
        """
        try:
            async with asyncio.timeout(LOST_S):
                while any(link.is_up for link in self._links):
                    await self._changed()
        except TimeoutError:
            bridge = self.dial.endpoint.address
            raise TimeoutError(f"connections to {bridge} stand {LOST_S:g} s after the bridge's end") from None

    async def _changed(self) -> None:
        """Waits until a connection of some link is over."""
        self._change = self._change or asyncio.get_running_loop().create_future()
        await asyncio.shield(self._change)

    # What faults of whole connections do (`faults.rules.Shell`). In the proxy's own thread.

    def cut(self, agent: str) -> int:
        """Breaks an agent's connections, or all of them; answers how many."""
        links = self._of(agent)
        for link in links:
            self.recorder.fault("disconnected", link.agent)
            link.cut()
        return len(links)

    def stall(self, agent: str, fault: int) -> int:
        """Stops an agent's connections, or all of them; answers how many."""
        links = self._of(agent)
        for link in links:
            self.recorder.fault("stalled", link.agent)
            link.stall(fault)
        return len(links)

    def let_go(self, fault: int) -> None:
        """What this fault holds back goes on."""
        for link in list(self._links):
            link.let_go(fault)

    # For links.

    def forget(self, link: Link) -> None:
        """It is over."""
        self._links.discard(link)
        self.note_change()

    def note_change(self) -> None:
        """A connection of some link is over."""
        change, self._change = self._change, None
        if change is not None:
            change.set_result(None)

    def record_headers(
        self,
        who: str,
        rpc: str,
        metadata: list[tuple[str, str | bytes]],
        way: Way,
        call: int,
        *,
        always: bool = False,
    ) -> None:
        """Metadata of the parties' own is told; that of HTTP/2 and gRPC is not."""
        if always or any(name.startswith(KEPT) for name, _ in metadata):
            self.recorder.headers(who, rpc, metadata, way=way, call=call)

    def _connected(self) -> Wire:
        link = Link(self)
        self._links.add(link)
        return link.down

    def _of(self, agent: str) -> list[Link]:
        """The connections of an agent; without a name all that an agent speaks over."""
        links = sorted(self._links, key=lambda link: link.agent)
        return [link for link in links if (agent in link.agents if agent else link.agents)]

    def _passed(self, seconds: float) -> None:
        """A test's clock has moved."""
        if self.recorder.virtual:
            self.recorder.advanced(seconds)
