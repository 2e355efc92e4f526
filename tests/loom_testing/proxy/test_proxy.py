"""A proxy as a stranger sees it: in front of any gRPC server, it is not there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from loom.endpoint import TLS, Endpoint
from loom.v1 import action_pb2
from loom_testing.faults import Faults
from loom_testing.proxy import Proxy
from loom_testing.transcript.recorder import Recorder
from tests.loom_testing.peers import PATIENCE, Peer, refused, until

PEM = Path(__file__).parents[2] / "loom" / "tls"
LARGE = bytes(range(256)) * 4096 * 3  # 3 MiB
OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]


class Server:
    """A gRPC server of somebody else: it takes bytes, and does what the method's name says."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []
        self.go_on = asyncio.Event()

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        name = details.method.rpartition("/")[2]
        self.seen.append(("metadata", details.invocation_metadata))
        return grpc.stream_stream_rpc_method_handler(getattr(self, name))

    async def echo(self, requests: Any, context: Any) -> AsyncIterator[bytes]:
        async for request in requests:
            yield request
        self.seen.append(("half-close", None))

    async def headers_first(self, requests: Any, context: Any) -> AsyncIterator[bytes]:
        await context.send_initial_metadata((("early", "1"), ("early-bin", b"\0\xff")))
        await self.go_on.wait()
        context.set_trailing_metadata((("late", "2"), ("late-bin", b"\xff\0")))
        yield b"done"

    async def remaining(self, requests: Any, context: Any) -> AsyncIterator[bytes]:
        yield str(context.time_remaining()).encode()

    async def refuse(self, requests: Any, context: Any) -> AsyncIterator[bytes]:
        await context.abort(grpc.StatusCode.DATA_LOSS, "50 % lost\nand more")
        yield b""

    async def wait(self, requests: Any, context: Any) -> AsyncIterator[bytes]:
        context.add_done_callback(lambda _: self.seen.append(("over", None)))
        self.seen.append(("waiting", None))
        await asyncio.Event().wait()
        yield b""

    async def pour(self, requests: Any, context: Any) -> AsyncIterator[bytes]:
        for number in range(1_000):
            self.seen.append(("poured", number))
            yield bytes(100_000)

    async def ignore(self, requests: Any, context: Any) -> AsyncIterator[bytes]:
        await self.go_on.wait()
        async for request in requests:
            yield request


class Handlers(grpc.GenericRpcHandler):
    def __init__(self, server: Server) -> None:
        self._server = server

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return self._server.service(details)


@pytest.fixture
async def behind() -> AsyncIterator[tuple[Server, str]]:
    """The server, and where it is."""
    server = Server()
    grpc_server = grpc.aio.server(options=OPTIONS)
    grpc_server.add_generic_rpc_handlers((Handlers(server),))
    port = grpc_server.add_insecure_port("127.0.0.1:0")
    await grpc_server.start()
    yield server, f"127.0.0.1:{port}"
    await grpc_server.stop(None)


@pytest.fixture
async def server(behind):
    return behind[0]


@pytest.fixture
async def channel(behind):
    """A channel to it through a proxy."""
    proxy = await Proxy(Endpoint(behind[1])).start()
    async with grpc.aio.insecure_channel(proxy.address, options=OPTIONS) as channel:
        yield channel
    await proxy.close()


def call(channel, method: str, **given) -> Any:
    return channel.stream_stream(f"/somebodys.Service/{method}")(**given)


# Transparency.


async def test_messages_and_half_closes(channel, server):
    echo = call(channel, "echo")
    for message in b"", b"x", LARGE:
        await echo.write(message)
        assert await echo.read() == message
    await echo.done_writing()
    assert await echo.read() is grpc.aio.EOF
    assert await echo.code() is grpc.StatusCode.OK
    assert ("half-close", None) in server.seen


async def test_messages_larger_than_the_proxy_takes_in_whole(channel):
    echo = call(channel, "echo")
    for message in LARGE * 3, b"small", LARGE * 2:
        await echo.write(message)
        assert await echo.read() == message


async def test_metadata_in_text_and_bytes(channel, server):
    sent = (("text", "a b"), ("twice", "1"), ("twice", "2"), ("key-bin", bytes(range(256))))
    echo = call(channel, "echo", metadata=sent)
    await echo.done_writing()
    assert await echo.read() is grpc.aio.EOF
    ((_, metadata),) = [item for item in server.seen if item[0] == "metadata"]
    assert tuple(item for item in metadata if item[0] in ("text", "twice", "key-bin")) == sent


async def test_headers_come_before_any_message_and_trailers_at_the_end(channel, server):
    early = call(channel, "headers_first")
    metadata = await early.initial_metadata()
    assert (metadata["early"], metadata["early-bin"]) == ("1", b"\0\xff")
    server.go_on.set()
    assert await early.read() == b"done"
    assert await early.read() is grpc.aio.EOF
    trailers = await early.trailing_metadata()
    assert (trailers["late"], trailers["late-bin"]) == ("2", b"\xff\0")


async def test_deadlines(channel):
    timed = call(channel, "remaining", timeout=1_000)
    assert 900 < float(await timed.read()) <= 1_000
    assert await call(channel, "remaining").read() == b"None"


async def test_an_answer_that_is_only_trailers(channel):
    refusing = call(channel, "refuse")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await refusing.read()
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.DATA_LOSS, "50 % lost\nand more")


async def test_a_client_that_breaks_its_call(channel, server):
    waiting = call(channel, "wait")
    await until(lambda: ("waiting", None) in server.seen)
    waiting.cancel()
    await until(lambda: ("over", None) in server.seen)


async def test_500_calls_at_once(channel):
    async def one(number: int) -> bytes:
        echo = call(channel, "echo")
        await echo.write(str(number).encode())
        return await echo.read()

    assert await asyncio.gather(*map(one, range(500))) == [str(number).encode() for number in range(500)]


async def test_compressed_messages(behind):
    proxy = await Proxy(Endpoint(behind[1])).start()
    options = [*OPTIONS, ("grpc.default_compression_algorithm", grpc.Compression.Gzip)]
    async with grpc.aio.insecure_channel(proxy.address, options=options) as channel:
        echo = call(channel, "echo")
        await echo.write(LARGE)
        assert await echo.read() == LARGE
    await proxy.close()


# Who does not read.


async def test_a_client_that_does_not_read_stops_the_server(channel, server):
    """What is on its way is bounded by windows and buffers: a hundred megabytes do not fit."""
    pouring = call(channel, "pour")
    assert len(await pouring.read()) == 100_000
    poured = await standing(lambda: len(server.seen))
    assert poured < 300
    for _ in range(200):
        await pouring.read()
    assert len(server.seen) > 200
    pouring.cancel()


async def test_a_server_that_does_not_read_stops_the_client(channel, server):
    ignored = call(channel, "ignore")
    sent = 0

    async def send() -> None:
        nonlocal sent
        for _ in range(1_000):
            await ignored.write(bytes(100_000))
            sent += 1

    sending = asyncio.create_task(send())
    assert await standing(lambda: sent) < 300
    server.go_on.set()
    for _ in range(1_000):
        assert len(await ignored.read()) == 100_000
    await sending


async def standing(count) -> int:
    """A number when it has stopped to grow."""
    async with asyncio.timeout(PATIENCE):
        last, same = -1, 0
        while same < 20:
            last, same = (now, same + 1 if now == last else 0) if (now := count()) is not None else (last, 0)
            await asyncio.sleep(0.005)
    return last


# Connections.


async def test_a_bridge_that_is_not_there():
    proxy = await Proxy(Endpoint("127.0.0.1:1")).start()
    async with Peer(proxy.address) as peer, refused(grpc.StatusCode.UNAVAILABLE):
        await peer.invoke("c")
    await proxy.close()


async def test_who_leaves_while_the_bridge_is_dialled_leaves_nothing(behind):
    proxy = await Proxy(Endpoint(behind[1])).start()
    for _ in range(20):
        _, writer = await asyncio.open_connection(*proxy.address.split(":"))
        writer.transport.abort()
    await until(lambda: not proxy._links)
    await proxy.close()


async def test_a_server_that_stops_in_order_lets_open_calls_end(behind):
    server, address = behind
    own = grpc.aio.server()
    own.add_generic_rpc_handlers((Handlers(server),))
    port = own.add_insecure_port("127.0.0.1:0")
    await own.start()
    proxy = await Proxy(Endpoint(f"127.0.0.1:{port}")).start()
    async with grpc.aio.insecure_channel(proxy.address, options=OPTIONS) as channel:
        echo = call(channel, "echo")
        await echo.write(b"1")
        assert await echo.read() == b"1"
        stopping = asyncio.create_task(own.stop(PATIENCE))
        await echo.write(b"2")
        assert await echo.read() == b"2"
        await echo.done_writing()
        assert await echo.read() is grpc.aio.EOF
        assert await echo.code() is grpc.StatusCode.OK
        await stopping
        proxy.dial.endpoint = Endpoint(address)
        await proxy.retarget(Endpoint(address))
        again = call(channel, "echo", wait_for_ready=True)
        await again.write(b"3")
        assert await again.read() == b"3"
    await proxy.close()


async def test_closing_it_breaks_what_is_open(behind):
    proxy = await Proxy(Endpoint(behind[1])).start()
    async with grpc.aio.insecure_channel(proxy.address, options=OPTIONS) as channel:
        waiting = call(channel, "wait")
        await until(lambda: ("waiting", None) in behind[0].seen)
        await proxy.close()
        assert not proxy._links
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await waiting.read()
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    await until(lambda: ("over", None) in behind[0].seen)
    await proxy.close()  # once more is as good


async def test_a_bridge_behind_tls(tmp_path):
    certificate = [((PEM / "server.key").read_bytes(), (PEM / "server.pem").read_bytes())]
    server = Server()
    own = grpc.aio.server()
    own.add_generic_rpc_handlers((Handlers(server),))
    port = own.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(certificate))
    await own.start()
    for tls, answers in (TLS(PEM / "ca.pem", server_name="bridge.test"), True), (TLS(PEM / "ca.pem"), False):
        proxy = await Proxy(Endpoint(f"127.0.0.1:{port}", tls=tls)).start()
        async with grpc.aio.insecure_channel(proxy.address, options=OPTIONS) as channel:
            echo = call(channel, "echo")
            if answers:
                await echo.write(LARGE)
                assert await echo.read() == LARGE
                echo.cancel()
            else:
                with pytest.raises(grpc.aio.AioRpcError):
                    await echo.read()
        await proxy.close()
    await own.stop(None)


async def test_it_listens_where_it_is_told(behind):
    proxy = await Proxy(Endpoint(behind[1])).start("::1")
    assert proxy.address.startswith("[::1]:")
    async with grpc.aio.insecure_channel(proxy.address, options=OPTIONS) as channel:
        echo = call(channel, "echo")
        await echo.write(b"x")
        assert await echo.read() == b"x"
    with pytest.raises(OSError, match="address"):
        await Proxy(Endpoint(behind[1])).start("::1", int(proxy.address.rpartition(":")[2]))
    await proxy.close()


# Faults of whole connections.


async def test_cutting_and_stalling_is_about_agents(proxy, bridge):
    faults = Faults(proxy.rules)
    async with Peer(proxy.address) as one, Peer(proxy.address) as other, Peer(proxy.address) as nobody:
        first, second = await one.join("first"), await other.join("second")
        await nobody.invoke("none")
        assert len(proxy._links) == 3
        with faults.disconnect(agent="first") as cut:
            assert cut.fired == 1
        code, _, _ = await first.end()
        assert code is grpc.StatusCode.UNAVAILABLE
        await second.ping()
        with faults.stall(agent="second") as stalled:
            assert stalled.fired == 1
            await second.send(ping={"timestamp_ms": 7})
            reading = asyncio.create_task(second.read())
            await nobody.register("third")
            assert not reading.done()
        assert (await reading).pong.timestamp_ms == 7
        with faults.disconnect() as cut:
            assert cut.fired >= 1
        code, _, _ = await second.end()
        assert code is grpc.StatusCode.UNAVAILABLE


async def test_metadata_of_the_parties_is_told_and_that_of_grpc_is_not(bridge):
    recorder = Recorder()
    proxy = await Proxy(Endpoint(bridge.address), recorder=recorder).start()
    async with Peer(proxy.address) as peer:
        for metadata in [("other", "1")], [("x-own", "1"), ("authorization", "secret")]:
            asked = action_pb2.ActionCall(capability="none")
            await peer.bridge.ForwardAction(asked, metadata=metadata, timeout=PATIENCE)
    await proxy.close()
    bodies = [entry.body for entry in recorder.transcript().entries if entry.kind == "headers"]
    assert len(bodies) == 1
    assert "x-own" in str(bodies)
    assert "secret" not in str(bodies)
