"""A bridge is tapped while a run goes on."""

from __future__ import annotations

import grpc.aio
import pytest

from loom_testing.bridge import FakeBridge
from loom_testing.harness.errors import NoControlError
from loom_testing.transcript.tap import Tap
from loom_testing.transcript.tapping import begin_watching, caught_up, tapped
from tests.loom_testing.peers import Peer


async def test_what_happens_while_it_is_tapped_is_recorded():
    async with FakeBridge(testing=True) as bridge, Peer(bridge.address, "n") as peer:
        await peer.join("early")
        tap = Tap()
        async with tapped(peer.channel, "n", tap):
            stream = await peer.join("a", "t")
            await stream.publish("t", b"1")
            await stream.delivery()
            await stream.ping()
            while not any(
                entry.name == "Delivery" or entry.body for entry in tap.recorder.transcript().entries
            ):
                await stream.ping()
        assert "a" in {entry.who for entry in tap.recorder.transcript().entries}


async def test_a_bridge_that_is_not_for_testing_says_so():
    async with FakeBridge() as bridge, grpc.aio.insecure_channel(bridge.address) as channel:
        with pytest.raises(NoControlError, match="start it with `loom-testing serve --testing`"):
            async with tapped(channel, "n", Tap()):
                pass


async def test_a_namespace_that_is_not_there_is_named():
    async with FakeBridge(testing=True) as bridge, grpc.aio.insecure_channel(bridge.address) as channel:
        with pytest.raises(NoControlError, match='there is no namespace "n"'):
            async with tapped(channel, "n", Tap()):
                pass


async def test_all_namespaces_are_watched_before_there_is_any():
    async with FakeBridge(testing=True) as bridge, Peer(bridge.address, "n") as peer:
        lines = await begin_watching(peer.channel, "")
        await peer.join("a")
        assert (await anext(aiter(lines))).namespace == "n"
        lines.cancel()


async def test_a_tap_catches_up_with_what_has_happened():
    async with FakeBridge(testing=True) as bridge, Peer(bridge.address, "n") as peer:
        await peer.join("early")
        tap = Tap()
        async with tapped(peer.channel, "n", tap):
            for number in range(50):
                await peer.join(f"agent-{number}")
            assert await caught_up(peer.channel, "n", tap)
            recorded = {entry.who for entry in tap.recorder.transcript().entries}
            assert {f"agent-{number}" for number in range(50)} <= recorded
            async with grpc.aio.insecure_channel("127.0.0.1:1") as nowhere:
                assert not await caught_up(nowhere, "n", tap)
