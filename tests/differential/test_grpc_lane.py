"""The lane over gRPC: both bridges are observed to do the same; and a difference would be found."""

from __future__ import annotations

import shlex
import sys
from collections import Counter as Tally
from collections.abc import Iterator

import pytest

from loom_testing.engine import Engine
from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from loom_testing.engine import outputs as o
from loom_testing.engine.limits import FEATURES
from loom_testing.engine.trace import Header
from tests.differential.campaign import Campaign
from tests.differential.conftest import OPERATIONS
from tests.differential.divergence import Divergence
from tests.differential.grpc_machine import MESSAGE_BYTES, GrpcMachine
from tests.differential.kept import kept
from tests.differential.lanes import Open, find, open_lane
from tests.differential.operations import Burst, Case, Operation, RawCall, RawMessage, Step
from tests.differential.reference import Reference
from tests.differential.values import START, event_of

SECOND = 1_000_000


def a_case(*does: Operation | tuple[int, Operation], **limits: int) -> Case:
    """A case of these operations; a number before one is the seconds since the beginning."""
    case = Case("grpc", Header(START, {"message_bytes": MESSAGE_BYTES, **limits}, False))
    at = START
    for one in does:
        if isinstance(one, tuple):
            at = START + one[0] * SECOND
            case.steps.append(Step(at, one[1]))
        else:
            case.steps.append(Step(at, one))
    return case


def join(agent_id: str, stream: int, *topics: str, **fields) -> Iterator[Operation]:
    yield i.Register(stream + 100, agent_id, list(topics), features=list(FEATURES), **fields)
    yield i.Open(stream)
    yield i.Receive(stream, m.Ack(agent_id))


def publish(stream: int, topic: str = "a", **fields) -> i.Receive:
    return i.Receive(stream, m.Publish(topic, event_of(20), **fields))


def test_what_once_differed_differs_no_more(grpc_lane: Open) -> None:
    for path, case in kept("grpc"):
        shown = grpc_lane.shows(case)
        assert shown is None, f"{path.name}\n{shown}"


def test_a_stream_that_ends_under_a_write_ends_as_the_bridges_said(grpc_lane: Open) -> None:
    at_once = Burst(1, [m.Publish("a", event_of(20)) for _ in range(4)])
    for _ in range(10):
        assert grpc_lane.shows(a_case(i.Open(1), at_once)) is None


def test_a_fresh_seed(grpc_lane: Open, fresh_seed: int) -> None:
    campaign = Campaign(
        grpc_lane.machine,
        grpc_lane.lane,
        OPERATIONS,
        fresh_seed,
        cases=grpc_lane.cases,
        steps=grpc_lane.steps,
    )
    outcome = find(grpc_lane, campaign)
    if outcome.divergence is not None:
        pytest.fail(f"seed {outcome.found_at} (LOOM_TEST_SEED)\n{outcome.divergence}", pytrace=False)
    assert outcome.operations >= OPERATIONS


CASES = {
    "a full queue slows its publishers, one of them with more to say": a_case(
        *join("a", 1, ">"),
        *join("b", 2),
        *join("c", 3),
        i.Hold("a"),
        publish(2),
        publish(2),
        publish(2, confirm=True, pub_seq=1),
        i.Receive(2, m.Ping(5)),
        publish(3),
        i.Release("a"),
        i.Snapshot(9),
        queue_events=1,
    ),
    "a client that half-closes while it is not read": a_case(
        *join("a", 1, ">"),
        *join("b", 2),
        i.Hold("a"),
        publish(2),
        publish(2),
        publish(2),
        i.HalfClose(2),
        i.Disconnect("a"),
        i.Snapshot(9),
        queue_events=1,
    ),
    "a client that is reset while it is not read": a_case(
        *join("a", 1, ">"),
        *join("b", 2),
        i.Hold("a"),
        Burst(2, [m.Publish("a", event_of(20)), m.Publish("a", event_of(20)), m.Ping(1), m.Ping(2)]),
        i.Break(2),
        i.Release("a"),
        i.Snapshot(9),
        queue_events=1,
    ),
    "time passes step by step": a_case(
        *join("a", 1, ">"),
        i.Open(2),
        i.Invoke(8, m.ActionCall("x", "nothing")),
        (11, i.Tick()),
        i.Register(9, "b"),
        (60, i.Snapshot(10)),
    ),
    "calls that are taken, given up and answered": a_case(
        *join("a", 1, capabilities=[m.Capability("cap", metadata={"loom.max_concurrency": "1"})]),
        i.Invoke(11, m.ActionCall("", "cap")),
        i.Invoke(12, m.ActionCall("mine", "cap", headers={"x-agent-id": "z"})),
        i.Invoke(13, m.ActionCall("mine", "cap", headers={"x-agent-id": "z"})),
        i.Abandon(11),
        i.Receive(1, m.ActionResult(f"{START:x}-1")),
        i.Receive(1, m.ActionResult(f"{START:x}-2", 0, b"done", m.ActionError("CODE", "text", {"k": "v"}))),
        i.Abandon(12),
        i.Break(1),
        i.Snapshot(14),
    ),
    "bytes that are no message, and messages that are too large": a_case(
        *join("a", 1),
        *join("b", 2),
        RawCall(11, "RegisterAgent", b"\xff"),
        RawCall(12, "ForwardAction", b"\x0a" * (MESSAGE_BYTES + 1)),
        RawCall(13, "Heartbeat", b"\x08\x05\xf8\x7f\x01"),
        RawCall(14, "ListCapabilities", b"\x07"),
        RawMessage(1, b"\x0a\xff"),
        RawMessage(2, b"\x0a" * (MESSAGE_BYTES + 1)),
        i.Snapshot(15),
    ),
    "streams that are superseded, refused and left": a_case(
        *join("a", 1, ">"),
        *join("a", 2, "a.*"),
        i.Open(3),
        i.Receive(3, m.Ping()),
        i.Open(4),
        i.Receive(4, m.Ack("a", registration=START + 1)),
        i.Receive(2, m.Goodbye("bye")),
        i.Hold("nobody"),
        i.Reset(),
    ),
}


@pytest.mark.parametrize("about", CASES)
def test_known_cases(grpc_lane: Open, about: str) -> None:
    shown = grpc_lane.shows(CASES[about])
    assert shown is None, str(shown)


def planted(module: str, old: str, new: str) -> str:
    """How to start a fake with a fault."""
    return shlex.join([sys.executable, "-m", "tests.differential.planted", module, old, new, "loom.cli.fake"])


@pytest.mark.parametrize(
    ("module", "old", "new", "place", "most"),
    [
        (
            "loom_testing.engine.messages",
            'timestamp_ms: int = 0\n    status: str = "ok"',
            'timestamp_ms: int = 0\n    status: str = "okay"',
            'fake    pong { status: "okay" }',
            5,
        ),
        (
            "loom_testing.event_stream",
            "            self._report(taken)\n",
            "            self._report(taken - 1)\n",
            "settled:",
            5,
        ),
    ],
)
def test_a_planted_difference_is_found_made_small_and_explained(
    module: str, old: str, new: str, place: str, most: int
) -> None:
    with open_lane("grpc", fake=planted(module, old, new)) as opened:
        campaign = Campaign(GrpcMachine, opened.lane, 3_000, 1, cases=40, steps=50, shrink_s=3)
        found = find(opened, campaign, shrink_s=10).divergence
    assert found is not None
    assert len(found.case.steps) <= most
    assert place in str(found)


class Expected:
    """What is to be observed, without a bridge; and a tally of it."""

    name = "grpc"

    def __init__(self) -> None:
        self.seen: Tally[str] = Tally()
        self._reference: Reference

    def begin(self, case: Case) -> Engine:
        self._reference = Reference(case.header)
        return self._reference.engine

    def play(self, step: Step) -> list[o.Output]:
        if not self._reference.can_do(step):
            return []
        self.seen[type(step.does).__name__] += 1
        for things in self._reference.play(step).at.values():
            self.seen.update(str(part).partition(":")[0] for thing in things for part in thing)
        return self._reference.outputs

    def unread(self) -> list[int]:
        if self._reference.unread():
            self.seen["unread"] += 1
        return self._reference.unread()

    def end(self) -> None:
        pass


def test_the_operations_reach_everything() -> None:
    lane = Expected()
    Campaign(GrpcMachine, lane, 20_000, 1, cases=40, steps=50).run()
    wanted = {kind.__name__ for kind in (*i.Input.__args__, RawCall, RawMessage, Burst)} - {
        "Writable",
        "DrainAll",
    }
    wanted |= {"OVERSIZE", "NOT_FOUND", "unread", "headers", "OK", "ABORTED", "UNAVAILABLE"}
    wanted |= {"INVALID_ARGUMENT", "FAILED_PRECONDITION", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}
    wanted |= {"SUPERSEDED", "SLOW_CONSUMER", "HEARTBEAT_TIMEOUT", "HANDSHAKE_TIMEOUT", "STALE_REGISTRATION"}
    assert sorted(wanted - lane.seen.keys()) == []


def test_a_bridge_that_dies_is_a_difference_and_is_started_anew() -> None:
    dying = planted(
        "loom_testing.codec",
        "    return Heartbeat(call,",
        "    __import__('os')._exit(7)\n    return Heartbeat(call,",
    )
    with open_lane("grpc", fake=dying) as opened:
        shown = opened.shows(a_case(i.Heartbeat(1, 5)))
        assert isinstance(shown, Divergence)
        assert "fake    exit code 7" in str(shown)
        assert opened.shows(a_case(i.ListCapabilities(1))) is None
