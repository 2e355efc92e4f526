"""A real bridge, over gRPC: a connection to its process, and the namespace in which a case is played."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable
from typing import Any

import grpc
import grpc.aio

from loom.testing.v1 import control_pb2 as c
from loom.testing.v1.control_pb2_grpc import ControlStub
from loom.v1 import action_pb2, agent_pb2, stream_pb2
from loom_testing.engine import inputs as i
from loom_testing.engine.trace import Header
from tests.differential.normal import Beginning, status_of
from tests.differential.observed import ANSWER, Observed
from tests.differential.operations import Burst, RawCall, RawMessage, Step
from tests.differential.requests import METHODS, Requests
from tests.differential.stream_there import StreamThere
from tests.differential.tally import Tally

__all__ = ["BridgeThere", "NamespaceThere"]

PATIENCE_S = 10.0
"""How long a step may take to settle."""
OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
KINDS = {"RegisterAgent": "register", "Heartbeat": "heartbeat", "ListCapabilities": "list_capabilities"}


class BridgeThere:
    """A connection to a bridge that was started for testing.

    Args:
        address: where it listens.
    """

    def __init__(self, address: str) -> None:
        self.channel = grpc.aio.insecure_channel(address, options=OPTIONS)
        self.control: Any = ControlStub(self.channel)
        self._watching: asyncio.Task[None] | None = None
        self._watched: NamespaceThere | None = None

    async def begin(self, name: str, header: Header, limits: dict[str, int]) -> NamespaceThere:
        """A fresh namespace on a clock that stands still."""
        async with asyncio.timeout(PATIENCE_S):
            if self._watching is None:
                watch = self.control.Watch(c.WatchRequest())
                await watch.initial_metadata()
                self._watching = asyncio.create_task(self._watch(watch))
            request = c.CreateNamespaceRequest(
                namespace=name, virtual_clock=True, liveness=header.liveness, limits=limits
            )
            made = await self.control.CreateNamespace(request)
        self._watched = NamespaceThere(self, name, header, made.now_us)
        return self._watched

    async def forget(self, namespace: NamespaceThere) -> None:
        """Ends a namespace that may be gone already."""
        self._watched = None
        with contextlib.suppress(grpc.aio.AioRpcError):
            await self.control.Reset(c.ResetRequest(namespace=namespace.name), timeout=PATIENCE_S)

    async def close(self) -> None:
        """Ends the connection."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self.channel.close()

    async def _watch(self, watch: Any) -> None:
        async for line in watch:
            watched = self._watched
            if watched is not None and line.namespace == watched.name:
                watched.tally.hear(json.loads(line.line), line.skipped)


class NamespaceThere:
    """One namespace on a bridge: plays steps and says what was observed.

    Attributes:
        name: the namespace.
        tally: counts what the bridge does.
    """

    def __init__(self, bridge: BridgeThere, name: str, header: Header, created: int) -> None:
        self.name = name
        self.tally = Tally()
        self._channel = bridge.channel
        self._control_stub = bridge.control
        self._beginning = Beginning(header.created, created)
        self._requests = Requests(self._beginning)
        self._now = header.created
        self._metadata = (("loom-namespace", name),)
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._seen = Observed()

    async def play(self, step: Step) -> Observed:
        """Plays a step and waits until everything has settled."""
        self._seen = Observed()
        self.tally.begin_step()
        try:
            async with asyncio.timeout(PATIENCE_S):
                if step.at > self._now or isinstance(step.does, i.Tick):
                    await self._advance(step.at)
                await self._do(step.does)
                await self.tally.settle()
        except TimeoutError:
            why = self.tally.unsettled() or "an answer is missing"
            self._seen.add("settled", f"not after {PATIENCE_S:g} s: {why}")
        for number, stream in self.tally.streams.items():
            for what in stream.fresh():
                self._see_on(number, stream, *what)
        return self._seen

    async def close(self) -> None:
        """Forgets what is still open."""
        for task in self._calls.values():
            task.cancel()
        await asyncio.gather(*self._calls.values(), return_exceptions=True)
        for stream in self.tally.streams.values():
            await stream.close()

    def _see_on(self, number: int, stream: StreamThere, kind: str, *rest: Any) -> None:
        place = f"stream {number}"
        match kind:
            case "message":
                self._seen.add(place, kind, self._beginning.server_event(rest[0]))
            case "end":
                status, details = status_of(rest[0], self._beginning.text(rest[1]), raw=stream.raw)
                self._seen.add(place, kind, status, details)
            case _:
                self._seen.add(place, kind)

    # Doing.

    async def _do(self, does: Any) -> None:
        streams = self.tally.streams
        match does:
            case i.Tick():
                pass
            case i.Open(stream):
                call = self._channel.stream_stream(METHODS["EventStream"])(metadata=self._metadata)
                streams[stream] = StreamThere(call, self.tally.news.set)
                self.tally.want_number("stream", stream)
            case i.Receive(stream, message):
                await streams[stream].say(self._requests.message(message))
            case Burst(stream, messages):
                for message in messages:
                    await streams[stream].say(self._requests.message(message))
            case RawMessage(stream, data):
                streams[stream].raw = True
                await streams[stream].say(data)
            case i.HalfClose(stream):
                await streams[stream].half_close()
            case i.Break(stream):
                streams[stream].break_()
            case i.Invoke(call, request):
                self._invoke(call, self._requests.call(request), raw=False)
            case RawCall(call, "ForwardAction", data):
                self._invoke(call, data, raw=True)
            case i.Abandon(call):
                self.tally.want("abandon")
                self._calls[call].cancel()
            case i.Register():
                await self._ask("RegisterAgent", self._requests.unary(does), raw=False)
            case i.Heartbeat():
                await self._ask("Heartbeat", self._requests.unary(does), raw=False)
            case i.ListCapabilities():
                await self._ask("ListCapabilities", self._requests.unary(does), raw=False)
            case RawCall(_, method, data):
                await self._ask(method, data, raw=True)
            case _:
                await self._control(does)

    async def _ask(self, method: str, data: bytes, *, raw: bool) -> None:
        try:
            answer = await self._channel.unary_unary(METHODS[method])(data, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            self._refused(ANSWER, error, raw=raw)
            return
        self.tally.want(KINDS[method])
        if method == "RegisterAgent":
            encoded = self._beginning.registered(agent_pb2.AgentRegisterResponse.FromString(answer))
        elif method == "Heartbeat":
            encoded = self._beginning.plain(stream_pb2.HeartbeatResponse.FromString(answer))
        else:
            encoded = self._beginning.plain(action_pb2.ListCapabilitiesResponse.FromString(answer))
        self._seen.add(ANSWER, method, encoded)

    def _invoke(self, number: int, data: bytes, *, raw: bool) -> None:
        method = METHODS["ForwardAction" if number % 2 else "Invoke"]
        call = self._channel.unary_unary(method)(data, metadata=self._metadata)
        self.tally.want_number("call", number)
        self._calls[number] = asyncio.create_task(self._await_result(number, call, raw=raw))

    async def _await_result(self, number: int, call: Awaitable[bytes], *, raw: bool) -> None:
        place = f"call {number}"
        try:
            answer = action_pb2.ActionResult.FromString(await call)
        except grpc.aio.AioRpcError as error:
            self._refused(place, error, raw=raw)
            self.tally.refused(number)
        else:
            self._seen.add(place, "ForwardAction", self._beginning.result(answer))
        self.tally.answered.add(number)
        self.tally.news.set()

    def _refused(self, place: str, error: grpc.aio.AioRpcError, *, raw: bool = False) -> None:
        status = status_of(error.code(), self._beginning.text(error.details() or ""), raw=raw)
        self._seen.add(place, "refused", *status)

    # The testing control.

    async def _advance(self, to: int) -> None:
        request = c.AdvanceRequest(namespace=self.name, by_us=to - self._now)
        self._now = to
        try:
            advanced = await self._control_stub.Advance(request)
        except grpc.aio.AioRpcError as error:
            self._refused(ANSWER, error)
            return
        self.tally.want("tick", advanced.fired)
        self._seen.add(ANSWER, "Advance", self._beginning.number(advanced.now_us), f"fired {advanced.fired}")
        await self.tally.settle()

    async def _control(self, does: i.Input) -> None:
        control, name = self._control_stub, self.name
        try:
            match does:
                case i.Snapshot():
                    response = await control.Snapshot(c.SnapshotRequest(namespace=name))
                    self._seen.add(ANSWER, "Snapshot", self._beginning.snapshot(response))
                case i.Reset():
                    await control.Reset(c.ResetRequest(namespace=name))
                case i.Hold(agent_id):
                    await control.Hold(c.HoldRequest(namespace=name, agent_id=agent_id))
                    self._seen.add(ANSWER, "done")
                case i.Release(agent_id):
                    await control.Release(c.ReleaseRequest(namespace=name, agent_id=agent_id))
                    self._seen.add(ANSWER, "done")
                case i.Disconnect(agent_id):
                    await control.Disconnect(c.DisconnectRequest(namespace=name, agent_id=agent_id))
                    self._seen.add(ANSWER, "done")
                case _:
                    raise AssertionError(f"{does} cannot be done over gRPC")
        except grpc.aio.AioRpcError as error:
            self._refused(ANSWER, error)
        else:
            self.tally.want(type(does).__name__.lower())
