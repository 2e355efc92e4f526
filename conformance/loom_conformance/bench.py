"""`Bench`: what a check works with: agents on connections of their own, in a namespace of its own."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from loom_conformance.control import Control
from loom_conformance.expect import Violation
from loom_conformance.peer import Peer
from loom_conformance.relay import Relay
from loom_conformance.tape import Tape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom_conformance.declared import Declared
    from loom_conformance.registry import Check
    from loom_conformance.stream import Stream
    from loom_conformance.target import BridgeProgram, Target

__all__ = ["Bench"]

NARROW = {"http2.bdp_probe": 0, "http2.lookahead_bytes": 65_536}


class Bench:
    """One check's world. It is made fresh for each check, and everything in it ends with the check.

    Where the bridge has namespaces, the check is alone in one of its own; where it also offers control, on a
    virtual clock. Where it has neither, `id`, `topic` and `capability` give names that no other check uses.

    Attributes:
        target: how the bridge is reached.
        declared: what it can do.
        tape: what crossed the wire.
        namespace: the check's own; empty where the bridge has none.
        virtual: whether time passes only by `pass_time`.
    """

    def __init__(self, target: Target, declared: Declared, check: Check) -> None:
        self.target = target
        self.declared = declared
        self.tape = Tape()
        self.nonce = secrets.token_hex(4)
        self.namespace = f"conformance-{self.nonce}" if "namespaces" in declared.features else ""
        self.virtual = check.clock == "virtual" and "control" in declared.features and bool(self.namespace)
        self._check = check
        self._control: Control | None = None
        self._peers: list[Peer] = []
        self._programs: list[BridgeProgram] = []
        self._controls: list[Control] = []
        self._relays: list[Relay] = []
        self._beside: set[str] = set()
        self._numbers = itertools.count(1)

    async def __aenter__(self) -> Self:
        if self.namespace and "control" in self.declared.features:
            self._control = Control(self.target, self.namespace, Tape())
            await self._control.create(
                virtual=self.virtual, liveness=self._check.liveness, limits=self._check.limits
            )
            self._control._tape = self.tape  # noqa: SLF001 - how the namespace began is nobody's concern
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.tape.seal()
        for peer in self._peers:
            await peer.close()
        for control in self._controls:
            await control.close()
        for relay in self._relays:
            await relay.close()
        for program in self._programs:
            await program.close()
        if self._control is not None:
            for namespace in (self.namespace, *self._beside):
                await self._control.outcome("Reset", namespace=namespace)
            await self._control.close()

    # Names.

    def id(self, name: str) -> str:
        """An agent id that is this check's own."""
        return name if self.namespace else f"{name}-{self.nonce}"

    def topic(self, topic: str) -> str:
        """A topic or pattern that is this check's own."""
        return topic if self.namespace else f"{self.nonce}.{topic}"

    def capability(self, name: str) -> str:
        """A capability's name that is this check's own."""
        return name if self.namespace else f"{name}-{self.nonce}"

    def beside(self, name: str) -> str:
        """The name of a further namespace that is this check's own. It begins when somebody speaks in it."""
        if not self.namespace:
            raise RuntimeError('the bridge has no namespaces: the check must say needs=["namespaces"]')
        self._beside.add(namespace := f"{self.namespace}.{name}")
        return namespace

    # Who speaks.

    def peer(
        self,
        who: str = "",
        *,
        namespace: str | None = None,
        through: Relay | None = None,
        narrow: bool = False,
        **options: int,
    ) -> Peer:
        """A connection of its own.

        Args:
            who: what the transcript calls it.
            namespace: another than the check's own.
            through: a relay to connect to instead of the bridge.
            narrow: the connection takes in little before it is read.
            options: gRPC's settings of the connection.
        """
        metadata = self.target.metadata(self.namespace if namespace is None else namespace)
        target = self.target if through is None else replace(self.target, address=through.address)
        settings = {**options, **(NARROW if narrow else {})}
        peer = Peer(target, who or f"client-{next(self._numbers)}", self.tape, metadata, **settings)
        self._peers.append(peer)
        return peer

    async def join(self, agent_id: str, *topics: str, features: Sequence[str] = (), **fields: Any) -> Stream:
        """An agent on a connection of its own: registered, its stream accepted, its Welcome read.

        Names are taken as they are: make them with `id` and `topic`.

        Raises:
            Violation: the bridge refuses it.
        """
        return await self.peer(agent_id).join(agent_id, *topics, features=features, **fields)

    async def fence(self, *streams: Stream) -> list[list[Any]]:
        """Everything that each stream had coming, once what the ones before it sent was handled."""
        return [await stream.until_pong() for stream in streams]

    async def relay(self) -> Relay:
        """A wire to the bridge that the check can cut or silence."""
        relay = await Relay(self.target.address).start()
        self._relays.append(relay)
        return relay

    # Time and the bridge.

    @property
    def control(self) -> Control:
        """The testing service, about this check's namespace. Only for checks that need `control`."""
        if self._control is None:
            raise RuntimeError('the bridge offers no control: the check must say needs=["control"]')
        return self._control

    async def pass_time(self, seconds: float) -> None:
        """Lets time pass: by the control service where the clock is virtual, else in fact."""
        if self.virtual:
            await self.control.advance(seconds)
        else:
            self.tape.note("time", f"{seconds:g} s pass")
            await asyncio.sleep(seconds)

    async def program(self, *, testing: bool = True) -> BridgeProgram:
        """Another bridge of the same kind, in a process of its own. Only for checks that need `process`.

        Without `testing` it has no testing control; only for checks that need `plain`.
        """
        start = self.target.start if testing else self.target.plain
        if start is None:
            needed = "process" if testing else "plain"
            raise RuntimeError(f'such a bridge cannot be started: the check must say needs=["{needed}"]')
        program: BridgeProgram = await start()
        self._programs.append(program)
        return program

    def peer_of(self, program: BridgeProgram, who: str = "", *, namespace: str = "") -> Peer:
        """A connection to a bridge that `program` started, in a namespace of it."""
        target = replace(self.target, address=program.address)
        peer = Peer(target, who or f"client-{next(self._numbers)}", self.tape, target.metadata(namespace))
        self._peers.append(peer)
        return peer

    def control_of(self, program: BridgeProgram, namespace: str) -> Control:
        """The testing service of a bridge that `program` started, about a namespace of it."""
        control = Control(replace(self.target, address=program.address), namespace, self.tape)
        self._controls.append(control)
        return control

    async def eventually(self, holds: Any, what: str, *, within: float = 10.0) -> Any:
        """Asks until the answer is true, and gives it: only for what the bridge tells nobody of.

        Raises:
            Violation: it did not become true in time.
        """
        end = asyncio.get_running_loop().time() + within
        while not (answer := await holds()):
            if asyncio.get_running_loop().time() > end:
                raise Violation(what, "it to become true", f"not within {within:g} s")
            await asyncio.sleep(0.005)
        return answer
