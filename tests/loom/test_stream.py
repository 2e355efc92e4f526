"""One stream: what its tasks carry, what they wait for, and why it is over."""

import asyncio

import grpc
import grpc.aio
import pytest

from loom.errors import BridgeUnavailable, ProtocolError
from loom.happenings import Confirmed, Delivered, Live
from loom.registration import Registration
from loom.session import FEATURES, Session
from loom.stream import Stream
from loom.traffic import Traffic
from loom.v1 import agent_pb2, event_pb2, stream_pb2
from tests.loom.standing import Standing, quiet

Server = stream_pb2.ServerEvent


class Call:
    """A call as gRPC gives it, with the other side played by the test."""

    def __init__(self):
        self.sent = asyncio.Queue()
        self.inbox = asyncio.Queue()
        self.headers = asyncio.get_running_loop().create_future()
        self.status = grpc.StatusCode.OK
        self.words = ""
        self.half_closed = asyncio.Event()
        self.cancelled = False

    def says(self, **message):
        self.inbox.put_nowait(Server(**message))

    def ends(self, status=grpc.StatusCode.OK, details=""):
        self.status, self.words = status, details
        self.inbox.put_nowait(grpc.aio.EOF)

    async def read(self):
        message = await self.inbox.get()
        if isinstance(message, BaseException):
            raise message
        return message

    async def write(self, message):
        await self.sent.put(message)

    async def done_writing(self):
        self.half_closed.set()

    async def initial_metadata(self):
        return await self.headers

    async def code(self):
        return self.status

    async def details(self):
        return self.words

    def cancel(self):
        self.cancelled = True

    def done(self):
        return self.cancelled


class Owner:
    def __init__(self, *, features=FEATURES, liveness=True):
        self.session = Session(Registration("me"), 1)
        response = agent_pb2.AgentRegisterResponse(success=True, features=features, heartbeat_interval_ms=20)
        if self.session.registered(response) is not None:
            self.session.registered(response)
        self.happenings = asyncio.Queue()
        self.rooms = 0
        self.gate = None
        self.time = Standing(liveness=liveness)
        self.traffic = Traffic()

    def happened(self, happening):
        self.happenings.put_nowait(happening)

    def taken(self):
        self.rooms += 1

    def room(self):
        return None if self.gate is None else self.gate.wait()


@pytest.fixture
async def carried():
    """Runs a stream on a session; answers owner, call, and the running task."""
    tasks = []

    def carry(**options):
        owner, call = Owner(**options), Call()
        stream = Stream(owner, call, "h:1", owner.time.clock, owner.traffic)
        task = asyncio.create_task(stream.run())
        tasks.append(task)
        return owner, call, stream, task

    yield carry
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def live(owner, call):
    assert (await call.sent.get()).WhichOneof("msg") == "ack"
    call.says(welcome=stream_pb2.Welcome(epoch=7))
    assert await owner.happenings.get() == Live(7)


async def test_messages_go_both_ways(carried):
    owner, call, stream, _ = carried()
    await live(owner, call)
    owner.session.publish("t", event_pb2.Event(id="e"), confirm=True)
    stream.wake()
    assert (await call.sent.get()).publish.event.id == "e"
    call.says(receipt=stream_pb2.Receipt(ref=1, matched=2))
    assert await owner.happenings.get() == Confirmed(1, 2)
    assert owner.rooms


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (grpc.StatusCode.OK, type(None)),
        (grpc.StatusCode.UNAVAILABLE, BridgeUnavailable),
        (grpc.StatusCode.INTERNAL, ProtocolError),
    ],
)
async def test_how_it_ended_is_why_it_is_over(carried, status, error):
    owner, call, _, task = carried()
    await live(owner, call)
    call.ends(status, "so it is")
    assert type(await task) is error
    assert call.cancelled


async def test_a_read_that_raises_is_an_end_too(carried):
    owner, call, _, task = carried()
    await live(owner, call)
    metadata = grpc.aio.Metadata()
    call.inbox.put_nowait(grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, metadata, metadata, "gone"))
    assert isinstance(await task, BridgeUnavailable)


async def test_a_call_cancelled_under_it_is_a_lost_connection(carried):
    owner, call, _, task = carried()
    await live(owner, call)
    call.inbox.put_nowait(asyncio.CancelledError())
    error = await task
    assert isinstance(error, BridgeUnavailable)
    assert "closed under the stream" in error.message


async def test_bytes_that_are_no_message_are_an_end_and_not_a_failure_of_ours(carried):
    """gRPC tells of them by None; the stream is begun anew then."""
    owner, call, _, task = carried()
    await live(owner, call)
    call.inbox.put_nowait(None)
    ended = await task
    assert isinstance(ended, BridgeUnavailable)
    assert "sent bytes that are no message" in str(ended)


async def test_silence_is_an_end(carried):
    owner, call, _, task = carried()
    await live(owner, call)
    await owner.time.advance(0.059)
    assert [(call.sent.get_nowait()).WhichOneof("msg") for _ in range(call.sent.qsize())] == ["ping", "ping"]
    assert not task.done()
    await owner.time.advance(0.001)
    error = await task
    assert error.code == "HEARTBEAT_TIMEOUT"


async def test_without_liveness_there_are_no_heartbeats(carried):
    owner, call, _, task = carried(liveness=False)
    await live(owner, call)
    assert await owner.time.advance(3600) == 0
    assert call.sent.empty()
    assert not task.done()


async def test_a_loop_that_stood_still_is_told(carried, caplog):
    owner, call, _, _ = carried()
    await live(owner, call)
    await owner.time.advance(0)
    owner.time.now += 5_000_000
    owner.time.tell(fire=True)
    assert (await call.sent.get()).WhichOneof("msg") == "ping"
    assert "the event loop stood still for 5.0 s" in caplog.text


async def test_what_goes_and_comes_is_counted(carried):
    owner, call, stream, _ = carried()
    await live(owner, call)
    for number in range(3):
        owner.session.publish(str(number), event_pb2.Event(), confirm=False)
    stream.wake()
    call.says(delivery=event_pb2.Delivery(topic="t"))
    await owner.happenings.get()
    await quiet()
    assert (owner.traffic.sent, owner.traffic.received) == (4, 2)  # with the handshake and its welcome


async def test_without_room_it_reads_no_further(carried):
    owner, call, _, _ = carried()
    await live(owner, call)
    owner.gate = asyncio.Event()
    for number in range(2):
        call.says(delivery=event_pb2.Delivery(topic=str(number)))
    assert await owner.happenings.get() == Delivered("0", event_pb2.Event())
    await quiet()
    assert owner.happenings.empty()
    assert owner.traffic.paused
    owner.gate.set()
    assert await owner.happenings.get() == Delivered("1", event_pb2.Event())


async def test_leaving_writes_the_last_words_and_half_closes(carried):
    owner, call, stream, task = carried()
    await live(owner, call)
    owner.session.close("done")
    stream.leave()
    assert (await call.sent.get()).goodbye.reason == "done"
    async with asyncio.timeout(5):
        await call.half_closed.wait()
    call.ends()
    assert await task is None


async def test_at_the_base_level_headers_say_that_it_is_live(carried):
    owner, call, _, _ = carried(features=[])
    assert (await call.sent.get()).WhichOneof("msg") == "ack"
    assert (await call.sent.get()).WhichOneof("msg") == "ping"
    call.headers.set_result(())
    assert await owner.happenings.get() == Live(0)
