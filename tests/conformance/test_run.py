"""A whole run on a bridge, from its name to the result."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from loom_conformance import Bench, expect
from loom_conformance.declared import Unreachable
from loom_conformance.known import Lists
from loom_conformance.result import Outcome, Verdict
from loom_conformance.run import Order, Watcher, carry_out
from loom_conformance.targets import Choice, Opened, choose
from loom_testing import FakeBridge
from tests.conformance.benches import a_check
from tests.conformance.made import clause, known

CLAUSES = [clause("HB-1.1"), clause("HB-1.2"), clause("SES-8.1", feature="resume", planned=True)]


async def echoes(bench: Bench) -> None:
    expect.equal((await bench.peer().heartbeat(7)).timestamp_ms, 7, "the echo")


async def says_yes(bench: Bench) -> None:
    expect.equal((await bench.peer().heartbeat(7)).status, "yes", "the status")


CHECKS = [a_check(echoes, "HB-1.1"), a_check(says_yes, "HB-1.2")]


def order(choice: Choice, **changes: Any) -> Order:
    given: dict[str, Any] = {"clauses": CLAUSES, "checks": CHECKS, "selected": CLAUSES, "jobs": 2}
    return Order(choice=choice, **(given | changes))


class Told(Watcher):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def starting(self, choice: Choice) -> None:
        self.told.append(choice.kind)

    def began(self, choice: Choice, found: Any, checks: Any) -> None:
        self.told.append(f"{found.server['name']} {len(checks)}")

    def came(self, result: Any) -> None:
        self.told.append(f"{result.check} {result.outcome}")


@pytest.fixture
async def choice() -> AsyncIterator[Choice]:
    async with FakeBridge(testing=True) as bridge:
        yield choose(bridge.address)


async def test_a_run_says_who_was_judged_and_what_came(choice: Choice):
    told = Told()
    result = await carry_out(order(choice, words=["HB"], level="MUST"), told)
    assert told.told[:2] == ["address", "loom-testing 2"]
    assert sorted(told.told[2:]) == ["echoes passed", "says_yes failed"]
    assert result.verdict is Verdict.FAILS
    assert [(one.clause, one.outcome) for one in result.clauses] == [
        ("HB-1.1", Outcome.PASSED),
        ("HB-1.2", Outcome.FAILED),
        ("SES-8.1", Outcome.PLANNED),
    ]
    assert (result.versions.bridge_name, result.versions.bridge_protocol) == ("loom-testing", "1.0")
    assert (result.target.kind, result.target.address) == ("address", choice.asked)
    assert {"control", "session"} <= set(result.target.features)
    assert (result.asked.select, result.asked.level, result.asked.jobs) == (["HB"], "MUST", 2)
    assert result.seconds > 0
    assert result.began.endswith("+00:00")
    failed = result.checks[1]
    assert (failed.what, failed.expected, failed.got) == ("the status", "'yes'", "'ok'")
    assert failed.transcript is not None
    assert result.checks[0].transcript is None


async def test_only_what_was_asked_for_is_tried(choice: Choice):
    told = Told()
    result = await carry_out(order(choice, selected=CLAUSES[:1]), told)
    assert told.told[1:] == ["loom-testing 1", "echoes passed"]
    assert (result.verdict, result.summary) == (Verdict.CONFORMS, "full 1/1")


async def test_what_is_known_is_heeded(choice: Choice):
    result = await carry_out(order(choice, known=known("HB-1.2")))
    assert (result.verdict, result.summary) == (Verdict.CONFORMS, "full 1/2")
    stale = await carry_out(order(choice, known=known("HB-1.1")))
    assert stale.verdict is Verdict.FAILS
    assert isinstance(known("HB-1.1"), Lists)


async def test_where_nobody_answers_nothing_is_tested():
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1"):
        await carry_out(order(choose("127.0.0.1:1")))


@dataclass(frozen=True, slots=True)
class Doomed(Choice):
    """A fake that is killed before it is let go."""

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Opened]:
        async with choose("fake").open() as opened:
            _doomed.append(opened)
            yield opened


_doomed: list[Opened] = []


async def kills(bench: Bench) -> None:
    expect.equal((await bench.peer().heartbeat(7)).timestamp_ms, 7, "the echo")
    program = _doomed.pop().program
    assert program is not None
    program.signal(signal.SIGKILL)
    await program.wait(10)


async def test_a_bridge_that_does_not_outlive_its_checks_does_not_conform():
    clauses = [clause("HB-1.1")]
    result = await carry_out(
        Order(
            choice=Doomed("fake", "fake"),
            clauses=clauses,
            checks=[a_check(kills, "HB-1.1")],
            selected=clauses,
        )
    )
    assert result.verdict is Verdict.FAILS
    (problem,) = [one for one in result.problems if one.kind == "the bridge died"]
    assert "killed by signal 9" in problem.text
