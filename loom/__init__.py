"""Loom: agents that talk by events and call each other's capabilities, over one bridge.

    from loom import Agent, Context

    agent = Agent("researcher")

    @agent.on("paper.submitted")
    async def read(ctx: Context, paper: Paper) -> None:
        summary = await ctx.tool("llm.summarize", text=paper.text)
        await ctx.emit("paper.summarized", summary)

    agent.run()

Names other than errors are imported when they are first used, so that `import loom` costs next to nothing.

Layout, from the user's side inwards:
    agent.py         Agent: what it hears, what it offers, its life
    runner.py        agents as a program: signals, logging
    context.py       Context: emit, request, reply, tool, barrier, gather, sleep; asking.py what asks in it
    capability.py    Capability: functions that others can call; schema.py reads their signatures
    handler.py       which function an event goes to, and with what
    event.py envelope.py payload.py     what travels
    replies.py barrier.py calls.py      what comes back
    deadline.py      the budget of time that calls inherit
    clock.py         the agent's time, real or a test's; participant.py takes part in a test's, by joining.py,
                     with timers.py, traffic.py (what is under way), quiet.py and work.py (who is busy)
    memory/          Memory and its stores
    worker.py        a running agent; dispatch.py orders its deliveries; threads.py runs what is synchronous
    client.py        BridgeClient, the grpc.aio shell; connection.py comes back, stream.py carries messages,
                     line.py keeps publishers waiting while there is no room
    session.py       the client's half of the protocol, without I/O; happenings.py is what it tells,
                     heartbeat.py when to ping and when silence is death
    registration.py topics.py           what an agent tells the bridge of itself
    channel.py       gRPC channels; leases.py who holds one; status.py turns their failures into errors.py's
                     tree; codes.py its codes
    inmemory.py      bridges that live in this process
    sync.py          a synchronous client for tools
    config.py        Settings; endpoint.py where a bridge is; runtime/ finds or starts one
    cli/             the `loom` command; __main__.py is the same by `python -m loom`
    v1/ testing/ view/                  generated from proto/
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

from loom.errors import (
    AgentGone,
    BridgeError,
    BridgeUnavailable,
    CallCancelled,
    CapabilityError,
    CapabilityNotFound,
    CapabilityUnavailable,
    ConfigError,
    DeadlineExceeded,
    DefinitionError,
    HandlerError,
    IdReused,
    InvalidInput,
    InvalidOutput,
    LoomError,
    MemoryStoreError,
    NoSubscribers,
    NotConnected,
    Overloaded,
    PayloadError,
    PermissionDenied,
    ProtocolError,
    PublishRefused,
    RegistrationRefused,
    RequestError,
    Superseded,
    Unauthenticated,
)

if TYPE_CHECKING:
    from loom.agent import Agent
    from loom.barrier import Barrier, Gathered
    from loom.capability import Capability, capability
    from loom.client import BridgeClient
    from loom.codes import Code
    from loom.config import Settings
    from loom.context import Context
    from loom.endpoint import TLS, Endpoint
    from loom.envelope import Envelope
    from loom.event import Event
    from loom.memory import LocalMemory, Memory, SQLiteMemory
    from loom.registration import QoS, Registration, Subscription
    from loom.replies import Reply
    from loom.runner import run, serve

    __version__: str

__all__ = [
    "Agent",
    "AgentGone",
    "Barrier",
    "BridgeClient",
    "BridgeError",
    "BridgeUnavailable",
    "CallCancelled",
    "Capability",
    "CapabilityError",
    "CapabilityNotFound",
    "CapabilityUnavailable",
    "Code",
    "ConfigError",
    "Context",
    "DeadlineExceeded",
    "DefinitionError",
    "Endpoint",
    "Envelope",
    "Event",
    "Gathered",
    "HandlerError",
    "IdReused",
    "InvalidInput",
    "InvalidOutput",
    "LocalMemory",
    "LoomError",
    "Memory",
    "MemoryStoreError",
    "NoSubscribers",
    "NotConnected",
    "Overloaded",
    "PayloadError",
    "PermissionDenied",
    "ProtocolError",
    "PublishRefused",
    "QoS",
    "Registration",
    "RegistrationRefused",
    "Reply",
    "RequestError",
    "SQLiteMemory",
    "Settings",
    "Subscription",
    "Superseded",
    "TLS",
    "Unauthenticated",
    "__version__",
    "capability",
    "run",
    "serve",
]

_HOMES: dict[str, tuple[str, ...]] = {
    "loom.agent": ("Agent",),
    "loom.barrier": ("Barrier", "Gathered"),
    "loom.capability": ("Capability", "capability"),
    "loom.client": ("BridgeClient",),
    "loom.codes": ("Code",),
    "loom.config": ("Settings",),
    "loom.context": ("Context",),
    "loom.endpoint": ("TLS", "Endpoint"),
    "loom.envelope": ("Envelope",),
    "loom.event": ("Event",),
    "loom.memory": ("LocalMemory", "Memory", "SQLiteMemory"),
    "loom.registration": ("QoS", "Registration", "Subscription"),
    "loom.replies": ("Reply",),
    "loom.runner": ("run", "serve"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("loom-py")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'loom' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(types.ModuleType):
    """This package, except that importing `loom.capability` does not hide the decorator of that name.

    Python binds an imported submodule as an attribute of its package; here that name is a function's.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if name in _HOME_OF and isinstance(value, types.ModuleType):
            return
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
