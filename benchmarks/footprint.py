"""The Rust bridge's size, its start time, and its memory by idle agents.

    python -m benchmarks.footprint [--agents N ...]

Each agent is registered with a topic of its own and an open stream, 100 streams on a connection. Memory is
the process's resident set as the kernel tells it, a moment after the last stream was accepted. Start time is
from the process's start until it accepts a connection, the median of several.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import socket
import statistics
import subprocess
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from benchmarks.machine import describe
from loom.runtime import rust
from loom.v1 import agent_pb2, stream_pb2
from loom.v1.bridge_pb2_grpc import BridgeStub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

AGENTS = (0, 1_000, 10_000)
STREAMS = 100
"""On a connection."""
STARTS = 10
SETTLE_S = 1.0
MEBIBYTE = 1024 * 1024
KIBIBYTE = 1024


def main() -> int:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser("python -m benchmarks.footprint")
    parser.add_argument("--agents", type=int, nargs="*", default=AGENTS, help="how many idle agents")
    counts = parser.parse_args().agents
    binary = rust.build(os.environ)
    print(", ".join(f"{name} {value}" for name, value in describe().items()))
    print(f"{binary.path} ({binary.reason})")
    static = "static" if rust.is_static(binary.path) else "needs libraries"
    print(f"{'binary':<24}{binary.path.stat().st_size / MEBIBYTE:8.1f} MiB, {static} (target: 10, static)")
    starts = sorted(start_time(str(binary.path)) for _ in range(STARTS))
    print(
        f"{'start to listening':<24}{statistics.median(starts) * 1000:8.1f} ms, "
        f"{starts[0] * 1000:.1f} to {starts[-1] * 1000:.1f} (target: 50)"
    )
    empty = 0
    for count in counts:
        used = asyncio.run(memory(str(binary.path), count))
        empty = empty or used
        each = f", {(used - empty) / count / KIBIBYTE:.1f} KiB each (target: 20)" if count else ""
        print(f"{f'memory, {count:,} agents':<24}{used / MEBIBYTE:8.1f} MiB{each}")
    return 0


def start_time(binary: str) -> float:
    """Seconds until a bridge says where it listens, and then accepts a connection there."""
    begin = time.perf_counter()
    with subprocess.Popen([binary, *FLAGS], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        host, _, port = address.rpartition(":")
        socket.create_connection((host, int(port))).close()
        took = time.perf_counter() - begin
        process.kill()
    return took


async def memory(binary: str, count: int) -> int:
    """The resident set, bytes, with so many idle agents."""
    async with serving(binary) as (pid, address):
        channels = [connect(address) for _ in range((count + STREAMS - 1) // STREAMS)]
        streams = []
        for number, channel in enumerate(channels):
            size = min(STREAMS, count - number * STREAMS)
            streams += await asyncio.gather(
                *(idle(channel, f"agent-{number * STREAMS + each}") for each in range(size))
            )
        await asyncio.sleep(SETTLE_S)
        used = resident(pid)
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*(channel.close() for channel in channels))
    return used


FLAGS = ("--listen", "127.0.0.1:0", "--log-level", "warn", "--grace", "0")


@asynccontextmanager
async def serving(binary: str) -> AsyncIterator[tuple[int, str]]:
    """A bridge: its process and its address."""
    process = await asyncio.create_subprocess_exec(binary, *FLAGS, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield process.pid, (await process.stdout.readline()).decode().split()[-1]
    finally:
        process.kill()
        await process.wait()


def connect(address: str) -> grpc.aio.Channel:
    """A TCP connection of its own."""
    return grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])


async def idle(channel: grpc.aio.Channel, agent_id: str) -> Any:
    """An agent that is there and says nothing."""
    stub: Any = BridgeStub(channel)
    response = await stub.RegisterAgent(
        agent_pb2.AgentRegisterRequest(agent_id=agent_id, subscribed_topics=[f"to.{agent_id}"])
    )
    assert response.success, response.error_message
    stream = stub.EventStream()
    await stream.write(stream_pb2.ClientEvent(ack=stream_pb2.Ack(message_id=agent_id)))
    await stream.initial_metadata()
    return stream


def resident(pid: int) -> int:
    """The resident set of a process, bytes."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
    assert found is not None
    return int(found[1]) * KIBIBYTE


if __name__ == "__main__":
    raise SystemExit(main())
