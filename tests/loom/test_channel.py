"""Channels: in the clear, over TLS, with certificates on both sides, and what travels with every call."""

from pathlib import Path

import grpc
import pytest

from loom.agent import Agent
from loom.channel import call_metadata
from loom.config import Settings
from loom.endpoint import TLS, Endpoint
from loom.errors import BridgeUnavailable, CapabilityNotFound, ConfigError
from loom.sync import SyncClient
from loom.threads import run_in_thread
from tests.loom.base_level import BaseLevelBridge

PEM = Path(__file__).parent / "tls"


def credentials(*, mutual):
    return grpc.ssl_server_credentials(
        [((PEM / "server.key").read_bytes(), (PEM / "server.pem").read_bytes())],
        root_certificates=(PEM / "ca.pem").read_bytes() if mutual else None,
        require_client_auth=mutual,
    )


def settings(address, tls):
    return Settings(endpoint=Endpoint(address, "mine", "s3cret", tls), connect_timeout=5)


def test_the_metadata_of_every_call():
    assert call_metadata(Endpoint("h:1", "mine")) == (("loom-namespace", "mine"),)
    assert call_metadata(Endpoint("h:1", token="s3cret")) == (
        ("loom-namespace", "default"),
        ("authorization", "Bearer s3cret"),
    )


async def test_tls():
    tls = TLS(ca=PEM / "ca.pem", server_name="bridge.test")
    async with (
        BaseLevelBridge(credentials=credentials(mutual=False)) as bridge,
        Agent("me", settings=settings(bridge.address, tls)) as me,
    ):
        assert await me.context().emit("t") == -1
    assert bridge.metadata[0]["authorization"] == "Bearer s3cret"
    assert bridge.metadata[0]["loom-namespace"] == "mine"


@pytest.mark.parametrize("shares", [False, True])
async def test_agents_have_a_connection_each_unless_they_share_one(shares):
    async with BaseLevelBridge() as bridge:
        endpoint = Endpoint(bridge.address, shares_connection=shares)
        async with Agent("first", endpoint=endpoint), Agent("second", endpoint=endpoint):
            pass
    assert len(set(bridge.peers)) == (1 if shares else 2)


async def test_one_that_leaves_leaves_the_shared_connection_to_the_others():
    async with BaseLevelBridge() as bridge:
        endpoint = Endpoint(bridge.address, shares_connection=True)
        async with Agent("first", endpoint=endpoint) as first:
            async with Agent("second", endpoint=endpoint) as second:
                await second._worker._client.drop_channel()
            assert await first.context().emit("t") == -1
        assert len(set(bridge.peers)) == 1


async def test_mutual_tls_also_for_the_synchronous_client():
    tls = TLS(PEM / "ca.pem", PEM / "client.pem", PEM / "client.key", "bridge.test")
    async with (
        BaseLevelBridge(credentials=credentials(mutual=True)) as bridge,
        Agent("me", settings=settings(bridge.address, tls)) as me,
    ):
        with SyncClient(Endpoint(bridge.address, tls=tls)) as other, pytest.raises(CapabilityNotFound):
            await run_in_thread(other.call, "nothing")
        assert me.is_running


@pytest.mark.parametrize(
    "tls",
    [
        None,
        TLS(),
        TLS(ca=PEM / "ca.pem"),  # another name
        TLS(ca=PEM / "client.pem", server_name="bridge.test"),
    ],
    ids=["in the clear", "an unknown authority", "another name", "another authority"],
)
async def test_a_bridge_that_cannot_be_trusted_is_not_spoken_with(tls):
    async with BaseLevelBridge(credentials=credentials(mutual=False)) as bridge:
        wanted = Settings(endpoint=Endpoint(bridge.address, tls=tls), connect_timeout=0.3)
        with pytest.raises(BridgeUnavailable):
            await Agent("me", settings=wanted).start()
        assert bridge.registrations == []


async def test_a_certificate_that_cannot_be_read_is_told_in_one_line(tmp_path):
    wanted = settings("127.0.0.1:1", TLS(ca=tmp_path / "none.pem"))
    with pytest.raises(ConfigError, match=r"tls\.ca: cannot read"):
        await Agent("me", settings=wanted).start()
