"""Standing in front of a bridge: where it listens, and whose settings hold."""

from __future__ import annotations

import socket

from loom_testing.commands.front import target_of
from tests.loom_testing.commands.standing import standing, stopped
from tests.loom_testing.test_serve import started


def test_the_settings_say_how_to_speak_with_the_bridge_but_bring_no_token(monkeypatch):
    monkeypatch.setenv("LOOM_TOKEN", "secret")
    monkeypatch.setenv("LOOM_TLS", "1")
    found = target_of("bridge.example:443")
    assert (found.address, found.token) == ("bridge.example:443", None)
    assert found.tls is not None


async def test_a_port_that_is_in_use_is_told(bridge):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        async with started(
            "-m", "loom_testing", "proxy", "--target", bridge.address, "--port", port
        ) as process:
            code, said = await process.end()
    assert code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in said


async def test_who_listens_for_strangers_is_warned(bridge):
    async with standing("proxy", bridge.address, "--host", "0.0.0.0") as (process, _):
        _, said, _ = await stopped(process)
    assert "listening on 0.0.0.0: whoever reaches this machine reaches the bridge through it" in said
