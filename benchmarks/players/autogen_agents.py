"""AutoGen's players: `autogen_agents PART [ADDRESS]`, its gRPC worker runtime as its documentation shows it.

Runs in an environment of its own, which has nothing of Loom.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from dataclasses import dataclass

from autogen_core import (
    AgentId,
    MessageContext,
    RoutedAgent,
    message_handler,
    try_get_known_serializers_for_type,
)
from autogen_ext.runtimes.grpc import GrpcWorkerAgentRuntime, GrpcWorkerAgentRuntimeHost

from benchmarks.measure import timed
from benchmarks.players.table import no_turn, take_turns
from benchmarks.work import TEXT, metadata

__all__ = ["PARTS"]


@dataclass
class Ask:
    """What is asked, with the metadata that an event of Loom carries."""

    text: str
    id: str
    sender: str
    thread: str
    correlation: str


@dataclass
class Answer:
    """What is answered."""

    text: str


class Echo(RoutedAgent):  # type: ignore[misc,unused-ignore]  # not installed for mypy
    """Gives back the text."""

    def __init__(self) -> None:
        super().__init__("gives back the text")

    @message_handler  # type: ignore[untyped-decorator,unused-ignore]  # not installed for mypy
    async def echo(self, message: Ask, ctx: MessageContext) -> Answer:
        """Answers one message."""
        return Answer(message.text)


async def host(address: str = "") -> None:
    """The host that the workers connect to."""
    with socket.create_server(("127.0.0.1", 0)) as free:  # it cannot say which free port it took
        address = f"127.0.0.1:{free.getsockname()[1]}"
    served = GrpcWorkerAgentRuntimeHost(address)
    served.start()
    await take_turns(no_turn, address)
    await served.stop(grace=0)


async def provider(address: str) -> None:
    """A worker with one kind of agent."""
    runtime = await _worker(address)
    await Echo.register(runtime, "echo", Echo)
    await take_turns(no_turn)
    await runtime.stop()


async def caller(address: str) -> None:
    """A worker that calls, one call after the other."""
    runtime = await _worker(address)
    echo = AgentId("echo", "default")

    async def once() -> None:
        answer = await runtime.send_message(Ask(TEXT, **metadata("caller")), echo)
        assert answer.text == TEXT

    await take_turns(timed(once))
    await runtime.stop()


async def _worker(address: str) -> GrpcWorkerAgentRuntime:
    runtime = GrpcWorkerAgentRuntime(address)
    for kind in (Ask, Answer):
        runtime.add_message_serializer(try_get_known_serializers_for_type(kind))
    await runtime.start()
    return runtime


PARTS = {part.__name__: part for part in (host, provider, caller)}

if __name__ == "__main__":
    asyncio.run(PARTS[sys.argv[1]](*sys.argv[2:]))
