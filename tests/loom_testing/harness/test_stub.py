from unittest.mock import ANY

import pytest

from loom.errors import CapabilityError
from loom_testing.harness.errors import ExpectationError, HarnessError


async def test_a_stub_stands_in_for_an_agent(loom_bridge):
    async with (
        loom_bridge.stub_capability("llm.complete").returns("a").then.raises(ValueError("busy")) as llm
    ):
        assert await loom_bridge.call("llm.complete", prompt="hi") == "a"
        with pytest.raises(CapabilityError, match="busy"):
            await loom_bridge.call("llm.complete", prompt="ho")
        assert [call.arguments for call in llm.seen] == [{"prompt": "hi"}, {"prompt": "ho"}]
        assert llm.seen.having(prompt="hi")
        assert (llm.agent_id, repr(llm)) == ("stub:llm.complete", "Stub('llm.complete')")


async def test_a_call_can_be_waited_for(loom_bridge):
    import asyncio

    async with loom_bridge.stub_capability("llm.complete").returns(1) as llm:
        waiting = asyncio.create_task(llm.called(prompt=ANY))
        await loom_bridge.call("llm.complete", model="x")
        await loom_bridge.call("llm.complete", prompt="hi")
        assert (await waiting).arguments == {"prompt": "hi"}
        with pytest.raises(ExpectationError) as problem:
            await llm.called(prompt="ho", timeout=0)
    assert str(problem.value).splitlines() == [
        "llm.complete was to be called with {'prompt': 'ho'}, and no such call came within 0 s",
        "  nearest: {'prompt': 'hi'}",
        "      arguments.prompt  expected 'ho', got 'hi'",
        "  also came: {'model': 'x'}",
    ]


async def test_one_that_was_not_called_says_so(loom_bridge):
    async with loom_bridge.stub_capability("llm.complete").returns(1) as llm:
        with pytest.raises(
            ExpectationError, match=r"was to be called, and no such call(?s:.*)it was not called"
        ):
            await llm.called(timeout=0)


async def test_a_stub_without_words_or_outside_its_with_is_refused(loom_bridge):
    with pytest.raises(HarnessError, match=r"says nothing: \.returns"):
        async with loom_bridge.stub_capability("llm.complete"):
            pass
    with pytest.raises(HarnessError, match="is not offered"):
        await loom_bridge.stub_capability("llm.complete").returns(1).called()


async def test_bytes_and_versions(loom_bridge):
    async with loom_bridge.stub_capability("raw", version="2").calls(lambda data: data[::-1]) as raw:
        assert await loom_bridge.call("raw", b"\xff\x00", version="2", raw=True) == b"\x00\xff"
        assert raw.seen[0].arguments == b"\xff\x00"


def test_in_a_plain_test(loom_bridge):
    bridge = loom_bridge.sync
    with bridge.stub_capability("llm.complete").returns(1).then.returns(2) as llm, bridge.probe() as probe:
        assert [probe.call("llm.complete"), probe.call("llm.complete", n=1)] == [1, 2]
        assert llm.called(n=1).caller == probe.agent_id
        assert len(llm.seen) == 2
        assert repr(llm) == "Stub('llm.complete')"
