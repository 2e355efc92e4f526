"""What checks about the testing control have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom_conformance import expect
from loom_conformance.expect import Violation
from loom_conformance.stream import End

if TYPE_CHECKING:
    import grpc

    from loom.testing.v1 import control_pb2
    from loom_conformance.bench import Bench

__all__ = ["agent_in", "now", "refused"]


async def agent_in(bench: Bench, agent_id: str) -> control_pb2.AgentSnapshot:
    """What a snapshot shows of an agent.

    Raises:
        Violation: nothing.
    """
    found = await bench.control.agent(agent_id)
    if found is None:
        raise Violation("the snapshot", f"the agent {agent_id}", "nothing of it")
    return found


async def now(bench: Bench, namespace: str | None = None) -> int:
    """The time of a namespace, by default of the check's own, microseconds."""
    fields = {} if namespace is None else {"namespace": namespace}
    return int((await bench.control.ask("Snapshot", **fields)).now_us)


def refused(answer: object, code: grpc.StatusCode, what: str, *, names: str = "") -> None:
    """A call ended with this status, and details that name the culprit."""
    if not isinstance(answer, End):
        expect.fail(what, expected=code.name, got="an answer")
    expect.status(answer, code, what, names=names)
