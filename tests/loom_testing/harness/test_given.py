"""What a test gives by mistake is refused in one line, before anything is done with it."""

from __future__ import annotations

import pytest

from loom import Agent
from loom_testing.harness.errors import HarnessError
from loom_testing.harness.given import is_number

AGENT = Agent("a")


@pytest.mark.parametrize(
    ("give", "said"),
    [
        (lambda bridge: bridge.probe(3), r"probe\(3\) is no agent id: write a text"),
        (lambda bridge: bridge.probe("a b"), r"probe\('a b'\) is no agent id: write dot-separated"),
        (lambda bridge: bridge.probe(offers=["x"]), r"offers=\['x'\]: give each capability its answer"),
        (lambda bridge: bridge.probe(offers={3: 4}), r"offers\(3\) is no capability: write a text"),
        (lambda bridge: bridge.probe(timeout="x"), "timeout='x': give seconds from 0 on"),
        (lambda bridge: bridge.run(AGENT, grace="x"), "grace='x': give seconds from 0 on"),
        (lambda bridge: bridge.run(AGENT, grace=-1), "grace=-1: give seconds from 0 on"),
        (lambda bridge: bridge.stub_capability(3), r"stub_capability\(3\) is no capability: write a text"),
        (lambda bridge: bridge.stub_capability("a b"), r"stub_capability\('a b'\) is no capability"),
        (lambda bridge: bridge.scripted(3, agent="x"), r"scripted\(3\): give a transcript, or the path"),
    ],
)
def test_it_is_refused(loom_bridge, give, said):
    for bridge in (loom_bridge, loom_bridge.sync):
        with pytest.raises(HarnessError, match=said) as refused:
            give(bridge)
        assert "\n" not in str(refused.value)


async def test_what_is_given_to_a_probe_that_listens(loom_bridge):
    too_far = r"advance\(1e\+18\): at most a year at once, 31622400 seconds"
    async with loom_bridge.probe() as probe, loom_bridge.stub_capability("c").returns(1) as stub:
        for wait in (
            lambda: probe.expect("a", timeout="1"),
            lambda: probe.expect_in_order("a", timeout=-1),
            lambda: stub.called(timeout=float("inf")),
        ):
            with pytest.raises(HarnessError, match=r"timeout=.*: give seconds from 0 on"):
                await wait()
        with pytest.raises(HarnessError, match="within=-1: give seconds from 0 on"):
            await probe.expect_none(within=-1)
        with pytest.raises(HarnessError, match=too_far):
            await loom_bridge.advance(1e18)


def test_a_truth_value_is_no_number():
    assert [is_number(value) for value in (1, 0.5, True, "1", None)] == [True, True, False, False, False]
