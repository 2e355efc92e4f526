"""The others in a replay: they send again what they sent, and take what comes of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from loom.v1 import stream_pb2
from loom_testing.transcript.entry import Entry, Kind, Way
from loom_testing.transcript.plain import Literal
from loom_testing.transcript.recorder import Recorded
from loom_testing.transcript.replay.rebuild import rebuilt
from loom_testing.transcript.wire import crossings

if TYPE_CHECKING:
    from collections.abc import Callable

    from loom_testing.transcript.replay.bindings import Bindings

__all__ = ["SIGN_OF_LIFE_S", "Missing", "Others"]

BRIDGE = "/loom.v1.Bridge/"
BROKER = "/loom.v1.ActionBroker/"
OF_THE_BROKER = frozenset({"ListCapabilities", "Invoke"})
STREAM = "EventStream"

KEYS = {
    "delivery": ("topic",),
    "action_call": ("capability",),
    "receipt": ("ref",),
    "err": ("code", "ref"),
    "pong": ("timestamp_ms",),
    "action_cancel": ("code",),
}
"""By what a message is known among others of its name."""

SIGN_OF_LIFE_S = 1.0
"""How often, seconds of real time, a stream is kept alive where silence would end it."""
SIGN_OF_LIFE = stream_pb2.ClientEvent(
    ping=stream_pb2.HeartbeatRequest(timestamp_ms=-987_654_321)
).SerializeToString()

_LITERAL = Literal()


class Missing(Exception):  # noqa: N818 - the replay says it in its own words
    """What was recorded did not come in time."""


class Others:
    """Plays every agent but the one under test, over plain stubs.

    Args:
        channel: the connection.
        namespace: where to play.
        bindings: the placeholders.
        patience: seconds of real time to wait for what must come.
        alive: how often to show that they live, seconds of real time; None where nobody asks (SES-7).
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        namespace: str,
        bindings: Bindings,
        patience: float,
        *,
        alive: float | None = None,
    ) -> None:
        self._channel = channel
        self._metadata = (("loom-namespace", namespace),)
        self._bindings = bindings
        self._patience = patience
        self._alive = alive
        self._streams: dict[tuple[str, int], _Stream] = {}
        self._unary: dict[tuple[str, str, int], asyncio.Task[tuple[str, bytes]]] = {}

    async def send(self, entry: Entry) -> None:
        """Sends what was sent.

        Raises:
            TranscriptError: the entry is no message of this Loom.
        """
        if entry.rpc == STREAM:
            await self._send_on_stream(entry)
        elif entry.kind is Kind.MESSAGE:
            self._ask(entry)
        elif entry.kind is Kind.RESET:
            task = self._unary.get((entry.who, entry.rpc, entry.call))
            if task is not None:
                task.cancel()

    async def expect(self, entry: Entry) -> None:
        """Waits for what came, and keeps what its placeholders stand for now.

        Raises:
            Missing: it does not come.
        """
        try:
            async with asyncio.timeout(self._patience):
                if entry.rpc == STREAM:
                    await self._hear(entry)
                elif entry.kind in (Kind.MESSAGE, Kind.STATUS):
                    await self._hear_answer(entry)
        except TimeoutError:
            raise Missing from None

    async def heartbeat(self, number: int) -> None:
        """A mark in the bridge's trace."""
        entry = Entry("", Way.SENT, Kind.MESSAGE, "request", "Heartbeat", number, {"timestamp_ms": number})
        self._ask(entry)
        await self._unary["", "Heartbeat", number]

    async def close(self) -> None:
        """Leaves, without a word."""
        for task in self._unary.values():
            task.cancel()
        await asyncio.gather(*self._unary.values(), return_exceptions=True)
        for stream in self._streams.values():
            await stream.close()

    async def _send_on_stream(self, entry: Entry) -> None:
        stream = self._streams.get((entry.who, entry.call))
        if stream is None:
            if entry.kind in (Kind.HEADERS, Kind.HALF_CLOSE, Kind.RESET):
                return
            call: Any = self._channel.stream_stream(f"{BRIDGE}{STREAM}")
            stream = _Stream(call(metadata=self._metadata), self._alive)
            self._streams[entry.who, entry.call] = stream
        match entry.kind:
            case Kind.MESSAGE:
                await stream.write(self._built(entry))
            case Kind.HALF_CLOSE:
                await stream.half_close()
            case Kind.RESET:
                stream.call.cancel()
            case _:
                pass

    def _ask(self, entry: Entry) -> None:
        service = BROKER if entry.rpc in OF_THE_BROKER else BRIDGE
        method: Any = self._channel.unary_unary(f"{service}{entry.rpc}")
        call = method(self._built(entry), metadata=self._metadata)
        self._unary[entry.who, entry.rpc, entry.call] = asyncio.create_task(_answer(call))

    async def _hear(self, entry: Entry) -> None:
        stream = self._streams.get((entry.who, entry.call))
        if stream is None:
            return
        match entry.kind:
            case Kind.HEADERS:
                await stream.accepted()
            case Kind.MESSAGE:
                came = await stream.take(lambda one: self._is(entry, one))
                self._bindings.learn(entry.body, came.body)
            case _:
                await stream.ended()

    async def _hear_answer(self, entry: Entry) -> None:
        task = self._unary.get((entry.who, entry.rpc, entry.call))
        if task is None:
            return
        code, data = await asyncio.shield(task)
        if entry.kind is Kind.MESSAGE and code == "OK":
            self._bindings.learn(entry.body, _read(entry, data).body)

    def _is(self, recorded: Entry, came: Entry) -> bool:
        keys = KEYS.get(recorded.name, ())
        wanted = {key: recorded.body[key] for key in keys if key in recorded.body}
        found = {key: came.body[key] for key in keys if key in came.body}
        return recorded.name == came.name and not self._bindings.misfits(wanted, found)

    def _built(self, entry: Entry) -> bytes:
        return rebuilt(entry, self._bindings.value(entry.body)).SerializeToString()


class _Stream:
    """One EventStream, read all the time."""

    def __init__(self, call: Any, alive: float | None) -> None:
        self.call = call
        self._open: list[Entry] = []
        self._news = asyncio.Event()
        self._over = self._is_closed = False
        self._writing = asyncio.Lock()
        self._tasks = [asyncio.create_task(self._read())]
        if alive is not None:
            self._tasks.append(asyncio.create_task(self._show_life(alive)))

    async def write(self, data: bytes) -> None:
        try:
            async with self._writing:
                await self.call.write(data)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError, grpc.aio.UsageError):
            if not self.call.done():
                raise
            # The bridge ended the stream; what was recorded of that comes next.

    async def half_close(self) -> None:
        self._is_closed = True
        if not self.call.done():
            async with self._writing:
                await self.call.done_writing()

    async def accepted(self) -> None:
        await asyncio.shield(asyncio.ensure_future(self.call.initial_metadata()))

    async def ended(self) -> None:
        while not self._over:
            self._news.clear()
            await self._news.wait()

    async def take(self, fits: Callable[[Entry], bool]) -> Entry:
        while True:
            found = next((entry for entry in self._open if fits(entry)), None)
            if found is not None:
                self._open.remove(found)
                return found
            if self._over:
                raise TimeoutError
            self._news.clear()
            await self._news.wait()

    async def close(self) -> None:
        self.call.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _show_life(self, every: float) -> None:
        """A bridge with a real clock takes the silent for dead; those who were recorded were not silent."""
        await self.accepted()
        while not self._over and not self._is_closed:
            await self.write(SIGN_OF_LIFE)
            await asyncio.sleep(every)

    async def _read(self) -> None:
        pattern = Entry("", Way.RECEIVED, Kind.MESSAGE, "", STREAM)
        try:
            while (data := await self.call.read()) is not grpc.aio.EOF:
                self._open.append(_read(pattern, data))
                self._news.set()
        except (grpc.aio.AioRpcError, asyncio.CancelledError):
            if self._tasks[0].cancelling():
                raise
        finally:
            self._over = True
            self._news.set()


async def _answer(call: Any) -> tuple[str, bytes]:
    try:
        return "OK", await call
    except grpc.aio.AioRpcError as error:
        return error.code().name, b""


def _read(entry: Entry, data: bytes) -> Entry:
    """What came, as an entry of the same method and way."""
    item = Recorded(0, 0, entry.who, entry.way, Kind.MESSAGE, entry.rpc, entry.call, data)
    crossing = next(crossings(item))
    body = {} if crossing.message is None else _LITERAL.message(crossing.message)
    return Entry(entry.who, entry.way, Kind.MESSAGE, crossing.name, entry.rpc, entry.call, body)
