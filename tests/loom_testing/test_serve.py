"""`loom-testing serve` as a process: what it says, and how it stops."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from loom.testing.v1 import control_pb2
from loom.v1 import stream_pb2
from loom_testing.serve import is_loopback
from tests.loom_testing.peers import PATIENCE, Peer, refused

STARTUP = 30.0
"""How long a process may take to begin on a machine that is busy, seconds."""


class Process:
    """A running `loom-testing serve`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    async def line(self) -> str:
        """The next line on stdout; empty at its end."""
        async with asyncio.timeout(STARTUP):
            return (await self._process.stdout.readline()).decode().rstrip("\n")

    async def event(self) -> dict:
        """The next line, as the JSON object it is."""
        return json.loads(await self.line())

    def send(self, kind: signal.Signals) -> None:
        self._process.send_signal(kind)

    async def end(self) -> tuple[int | None, str]:
        """Waits until the process has ended: its exit code, and what it said on stderr."""
        async with asyncio.timeout(STARTUP):
            _, errors = await self._process.communicate()
        return self._process.returncode, errors.decode()


@contextlib.asynccontextmanager
async def serve(*arguments: str, port: int = 0) -> AsyncIterator[Process]:
    async with started("-m", "loom_testing", "serve", f"--port={port}", *arguments) as process:
        yield process


@contextlib.asynccontextmanager
async def started(*arguments: str, path: Path | None = None) -> AsyncIterator[Process]:
    """Python with those arguments; what is in the folder `path` is imported before all else."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(path)} if path else None,
    )
    try:
        yield Process(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def beat(address: str) -> None:
    async with Peer(address) as peer:
        await peer.bridge.Heartbeat(stream_pb2.HeartbeatRequest(), timeout=PATIENCE)


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
async def test_it_says_its_address_serves_and_stops_on_a_signal(kind):
    async with serve() as process:
        address = await process.line()
        await beat(address)
        process.send(kind)
        code, log = await process.end()
    assert code == 0
    assert f"serving at {address}" in log
    assert kind.name in log
    assert "Traceback" not in log


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_while_it_begins_stops_it_in_order(tmp_path: Path, kind: signal.Signals):
    # The first of what is slow to import asks for the signal, and goes on.
    (tmp_path / "asyncio.py").write_text(
        "import importlib, os, signal, sys\n"
        f"os.kill(os.getpid(), {int(kind)})\n"
        "sys.path.remove(os.path.dirname(__file__))\n"
        "del sys.modules['asyncio']\n"
        "importlib.import_module('asyncio')\n"
    )
    async with started("-W", "error", "-m", "loom_testing", "serve", "--port=0", path=tmp_path) as process:
        code, log = await process.end()
    assert code == 0, log
    assert f"stopping ({kind.name})" in log
    assert "Traceback" not in log
    assert "never awaited" not in log


async def test_an_interrupt_while_the_command_is_imported_is_no_traceback(tmp_path: Path):
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n")
    async with started("-m", "loom_testing", "serve", path=tmp_path) as process:
        assert await process.end() == (130, "")


async def test_json_says_it_for_programs():
    async with serve("--json", "--log-level=error") as process:
        serving = await process.event()
        assert serving["event"] == "serving"
        assert serving["pid"] == process.pid
        assert serving["testing"] is False
        await beat(serving["address"])
        process.send(signal.SIGTERM)
        assert await process.event() == {"event": "stopping", "reason": "SIGTERM"}
        assert await process.event() == {"event": "stopped"}
        assert await process.line() == ""
        assert await process.end() == (0, "")


async def test_agents_are_seen_in_the_log_and_told_of_the_stop():
    async with serve("--testing") as process:
        async with Peer(await process.line()) as peer:
            stream = await peer.join("watched", features=["drain"])
            assert (await peer.control.Snapshot(control_pb2.SnapshotRequest(namespace="default"))).agents
            process.send(signal.SIGTERM)
            status, _, events = await stream.end()
            assert status is grpc.StatusCode.UNAVAILABLE
            assert [event.WhichOneof("msg") for event in events] == ["drain"]
        code, log = await process.end()
    assert code == 0
    assert "default: watched joined" in log
    assert "default: watched left" in log


async def test_a_second_signal_stops_at_once():
    async with serve("--grace=14") as process, Peer(await process.line()) as peer:
        stream = await peer.join("a", capabilities=["c"], features=["drain"])
        calling = peer.invoke("c")
        await stream.read()
        process.send(signal.SIGINT)
        assert (await stream.read()).WhichOneof("msg") == "drain"
        process.send(signal.SIGINT)
        async with asyncio.timeout(PATIENCE):
            code, log = await process.end()
        calling.cancel()
    assert code == 0
    assert "stopping at once" in log


async def test_without_testing_there_is_no_control():
    async with (
        serve("--no-testing") as process,
        Peer(await process.line()) as peer,
        refused(grpc.StatusCode.UNIMPLEMENTED),
    ):
        await peer.control.Snapshot(control_pb2.SnapshotRequest(namespace="default"))


async def test_a_port_in_use_is_one_line_and_exit_code_2():
    async with serve() as first:
        port = int((await first.line()).rsplit(":", 1)[1])
        async with serve(port=port) as second:
            code, errors = await second.end()
    assert code == 2
    assert errors.count("\n") == 1
    assert f"127.0.0.1:{port}: the port is in use; choose another one" in errors


async def test_limits_reach_the_bridge():
    options = ("--limit", "event_bytes=1000", "--limit=waiting_calls=5")
    async with serve(*options) as process, Peer(await process.line()) as peer:
        limits = (await peer.register("a")).limits
    assert (limits.event_bytes, limits.waiting_calls) == (1000, 5)


async def test_strangers_are_warned_of():
    async with serve("--host=0.0.0.0", "--testing") as process:
        await process.line()
        process.send(signal.SIGTERM)
        _, log = await process.end()
    warnings = [line for line in log.splitlines() if " warning " in line]
    assert len(warnings) == 2
    assert "0.0.0.0" in warnings[0]
    assert "--testing" in warnings[1]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.1", False),
        ("bridge.example", False),
    ],
)
def test_what_loopback_is(host, loopback):
    assert is_loopback(host) is loopback


# Ending by itself.


async def test_it_ends_when_nobody_was_there():
    async with serve("--json", "--idle-exit=0.1") as process:
        assert (await process.event())["event"] == "serving"
        assert await process.event() == {"event": "stopping", "reason": "idle"}
        assert (await process.end())[0] == 0


async def test_it_stays_while_an_agent_is_there_and_ends_after_the_last_one_left():
    async with serve("--json", "--idle-exit=0.3", "--log-level=error") as process:
        async with Peer((await process.event())["address"]) as peer:
            stream = await peer.join("a")
            for _ in range(5):
                await asyncio.sleep(0.1)  # longer than the bridge would wait without an agent
                await stream.ping()
        assert await process.event() == {"event": "stopping", "reason": "idle"}
        assert await process.end() == (0, "")


# The address file.


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_the_address_file_is_private_and_goes_with_the_bridge(tmp_path: Path):
    place = tmp_path / "bridge.json"
    async with serve("--json", f"--address-file={place}") as process:
        serving = await process.event()
        assert json.loads(place.read_text()) == serving
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        assert names(tmp_path) == ["bridge.json"]
        process.send(signal.SIGTERM)
        assert (await process.end())[0] == 0
    assert names(tmp_path) == []


async def test_the_address_file_of_a_later_bridge_is_left_alone(tmp_path: Path):
    place = tmp_path / "bridge.json"
    async with serve(f"--address-file={place}") as process:
        await process.line()
        place.write_text("another's\n")
        process.send(signal.SIGTERM)
        assert (await process.end())[0] == 0
    assert place.read_text() == "another's\n"


async def test_an_address_file_that_cannot_be_written_is_one_line(tmp_path: Path):
    async with serve(f"--address-file={tmp_path}/nowhere/bridge.json", "--log-level=warning") as process:
        code, errors = await process.end()
    assert code == 2
    assert errors.count("\n") == 1
    assert "choose another --address-file" in errors


async def test_a_reader_that_left_does_not_disturb_it():
    """As in `loom-testing serve --json | head -1`."""
    read_end, write_end = os.pipe()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "loom_testing",
        "serve",
        "--port=0",
        "--json",
        stdout=write_end,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(write_end)
    with os.fdopen(read_end) as reader:
        serving = json.loads(await asyncio.to_thread(reader.readline))
    await beat(serving["address"])
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(STARTUP):
        _, errors = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in errors
