import asyncio

import pytest

from loom_conformance import expect
from loom_conformance import judge as judging
from loom_conformance.declared import Declared, ask
from loom_conformance.judge import judge, trial
from loom_conformance.result import Outcome
from loom_conformance.target import Target
from loom_testing import FakeBridge
from tests.conformance.benches import a_check, nothing


@pytest.fixture
async def target():
    async with FakeBridge(testing=True) as bridge:
        yield Target(bridge.address)


async def good(bench):
    expect.equal((await bench.peer().heartbeat(1)).timestamp_ms, 1, "the echo")


async def bad(bench):
    expect.equal((await bench.peer().heartbeat(1)).timestamp_ms, 2, "the echo")


async def broken(bench):
    raise KeyError("oops")


async def test_a_check_passes_fails_or_goes_wrong(target):
    declared = await ask(target)
    checks = [a_check(body) for body in (good, bad, broken, nothing)]
    seen = []
    results = await judge(target, declared, checks, {"HB-1.1": ""}, on_result=seen.append)
    assert [(item.check, item.outcome) for item in results] == [
        ("good", Outcome.PASSED),
        ("bad", Outcome.FAILED),
        ("broken", Outcome.ERROR),
        ("nothing", Outcome.ERROR),
    ]
    assert sorted(item.check for item in seen) == ["bad", "broken", "good", "nothing"]
    passed, failed, wrong, judged_nothing = results
    assert (passed.expectations, passed.message) == (1, "")
    assert (failed.what, failed.expected, failed.got) == ("the echo", "2", "1")
    assert failed.message == "the echo: expected 2, got 1"
    assert wrong.message == "KeyError: 'oops'"
    assert "in broken" in wrong.traceback
    assert "judged nothing" in judged_nothing.message


async def test_what_the_bridge_does_not_declare_is_not_applicable(target):
    results = await judge(target, Declared(frozenset()), [a_check(good)], {"HB-1.1": "resume"})
    assert [(item.outcome, item.message) for item in results] == [
        (Outcome.NOT_APPLICABLE, "the bridge does not declare resume")
    ]


async def test_what_cannot_be_had_is_not_testable(target):
    results = await judge(target, Declared(frozenset()), [a_check(good, needs=("control",))], {"HB-1.1": ""})
    assert [(item.outcome, item.message) for item in results] == [
        (Outcome.NOT_TESTABLE, "the check needs control")
    ]


async def test_a_check_that_never_ends_is_given_up(target, monkeypatch):
    async def waits(bench):
        await asyncio.Event().wait()

    monkeypatch.setattr(judging, "CHECK_S", 0.05)
    result = await trial(target, await ask(target), a_check(waits))
    assert (result.outcome, result.message) == (
        Outcome.ERROR,
        "the check did not come to an end within 0.05 s",
    )


async def test_only_what_did_not_pass_has_a_transcript(target):
    def transcribe(tape):
        return [{"crossings": len(tape.crossings)}]

    declared = await ask(target)
    assert (await trial(target, declared, a_check(good), transcribe)).transcript is None
    assert (await trial(target, declared, a_check(bad), transcribe)).transcript == [{"crossings": 2}]


async def test_jobs_bounds_how_many_run_at_once(target):
    running, most = 0, 0

    async def counts(bench):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await bench.peer().heartbeat(1)
        running -= 1
        expect.true(True, "it ran")

    await judge(target, await ask(target), [a_check(counts)] * 6, {"HB-1.1": ""}, jobs=2)
    assert most == 2


async def test_nothing_is_left_in_the_bridge(target):
    async def joins(bench):
        await bench.join("a", "t")
        bench.peer().invoke("nobody")
        expect.true(True, "it ran")

    before = asyncio.all_tasks()
    result = await trial(target, await ask(target), a_check(joins))
    assert result.outcome is Outcome.PASSED
    left = [task for task in asyncio.all_tasks() - before if "loom_conformance" in str(task.get_stack())]
    assert left == []
