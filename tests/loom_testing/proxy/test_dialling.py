"""Opening connections to the bridge."""

from __future__ import annotations

import socket
from pathlib import Path

import grpc
import grpc.aio
import pytest

from loom.endpoint import TLS, Endpoint
from loom.errors import ConfigError
from loom_testing.proxy import dialling
from loom_testing.proxy.dialling import Dial
from tests.loom_testing.peers import until
from tests.loom_testing.proxy.memory import Ears

PEM = Path(__file__).parents[2] / "loom" / "tls"


async def heard(dial: Dial) -> bool:
    """Whether somebody there speaks HTTP/2."""
    ears = Ears()
    wire = await dial.open(ears)
    await until(lambda: ("settings",) in ears.heard)
    wire.close()
    await until(lambda: any(item[0] == "lost" for item in ears.heard))
    return True


async def test_a_bridge(bridge):
    dial = Dial(Endpoint(bridge.address))
    assert dial.scheme == b"http"
    assert await heard(dial)


async def test_where_the_bridge_is_may_change(bridge):
    dial = Dial(Endpoint("127.0.0.1:1"))
    with pytest.raises(OSError, match=r"refused|Connect"):
        await dial.open(Ears())
    dial.endpoint = Endpoint(bridge.address)
    assert await heard(dial)


async def test_a_bridge_that_does_not_answer_is_not_waited_for(monkeypatch):
    """One that takes the connection, and says nothing of TLS."""
    monkeypatch.setattr(dialling, "CONNECT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        dial = Dial(Endpoint(address, tls=TLS()))
        with pytest.raises(OSError, match=r"did not answer within 0\.05 s"):
            await dial.open(Ears())


@pytest.mark.parametrize(
    ("tls", "trusted"),
    [
        (TLS(PEM / "ca.pem", server_name="bridge.test"), True),
        (TLS(PEM / "ca.pem", PEM / "client.pem", PEM / "client.key", "bridge.test"), True),
        (TLS(PEM / "ca.pem"), False),  # another name
        (TLS(), False),
    ],
)
async def test_tls(tls, trusted, secured):
    dial = Dial(Endpoint(secured, tls=tls))
    assert dial.scheme == b"https"
    if trusted:
        assert await heard(dial)
    else:
        with pytest.raises(OSError, match="certificate"):
            await dial.open(Ears())


@pytest.fixture
async def secured():
    """The address of a bridge that speaks TLS."""
    pair = [((PEM / "server.key").read_bytes(), (PEM / "server.pem").read_bytes())]
    server = grpc.aio.server()
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pair))
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


async def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match=r"tls\.ca: cannot read"):
        Dial(Endpoint("127.0.0.1:1", tls=TLS(ca=tmp_path / "none.pem")))


async def test_a_socket_in_a_file(tmp_path):
    server = grpc.aio.server()
    server.add_insecure_port(f"unix:{tmp_path}/bridge")
    await server.start()
    assert await heard(Dial(Endpoint(f"unix:{tmp_path}/bridge")))
    await server.stop(None)
