"""The same for plain tests, without `await`."""

from __future__ import annotations

import inspect
import threading

import pytest

from loom.errors import CapabilityNotFound
from loom_testing.harness.beside import Beside
from loom_testing.harness.blocking import SyncLoomBridge, SyncProbe, SyncStub
from loom_testing.harness.errors import ExpectationError, WrongPlaceError
from loom_testing.harness.handle import LoomBridge
from loom_testing.harness.probe import Probe
from loom_testing.harness.stub import Stub
from tests.loom_testing.harness.agents import greeter


def test_a_whole_test_without_await(loom_bridge):
    bridge = loom_bridge.sync
    agent = greeter()
    with bridge.run(agent) as given, bridge.probe(offers={"llm.complete": "short"}) as probe:
        assert given is agent
        assert probe.emit("visitor.arrived", {"name": "Ada"}) == 1
        assert probe.expect("visitor.greeted", text="Hello, Ada!").sender == "greeter"
        probe.expect_none("visitor.greeted", within=0)
        assert probe.request("words.asked", "hello") == "HELLO"
        assert probe.call("text.summary", text="long") == "short"
        probe.offer("llm.complete", "shorter")
        assert bridge.call("text.summary", text="long") == "shorter"
        assert [call.arguments for call in probe.calls] == [{"text": "long"}] * 2
        assert [event.topic for event in probe.events] == ["visitor.greeted"]
        bridge.advance(60)
        assert list(bridge.snapshot().agents) == ["greeter", "probe"]
        bridge.disconnect("probe")
    with pytest.raises(CapabilityNotFound):
        bridge.call("text.length", text="abc")


def test_a_probe_answers_a_request(loom_bridge):
    bridge = loom_bridge.sync
    with bridge.probe("clerk", subscribe="papers.wanted") as clerk, bridge.probe() as probe:
        answers = []
        asking = threading.Thread(target=lambda: answers.append(probe.request("papers.wanted", 7)))
        asking.start()
        assert clerk.reply(clerk.expect("papers.wanted", 7), "here") == 1
        asking.join()
        assert answers == ["here"]


def test_a_miss_is_told_without_the_thread_it_happened_in(loom_bridge):
    with loom_bridge.sync.probe() as probe:
        with pytest.raises(ExpectationError, match="nothing came") as caught:
            probe.expect("never", timeout=0.05)
        files = [entry.path.name for entry in caught.traceback if hasattr(entry.path, "name")]
        assert "thread.py" not in files


def test_it_has_all_that_the_other_face_has():
    for face, other in ((SyncLoomBridge, LoomBridge), (SyncProbe, Probe), (SyncStub, Stub)):
        for name, method in inspect.getmembers(other, inspect.isfunction):
            if name.startswith("_") or name in (
                "close",
                "context",
                "end_beside",
                "fail",
                "follow",
                "note_entered",
            ):
                continue
            mine, theirs = inspect.signature(getattr(face, name)), inspect.signature(method)
            assert list(mine.parameters) == list(theirs.parameters), name
            assert [one.default for one in mine.parameters.values()] == [
                one.default for one in theirs.parameters.values()
            ], name


async def test_in_a_coroutine_it_is_refused(loom_bridge):
    bridge = loom_bridge.sync
    for use in (
        lambda: bridge.call("a"),
        lambda: bridge.advance(1),
        bridge.snapshot,
        lambda: bridge.disconnect("a"),
        lambda: bridge.probe().__enter__(),
        lambda: bridge.run(greeter()).__enter__(),
    ):
        with pytest.raises(WrongPlaceError, match=r"leave out \.sync, and await"):
            use()


def test_the_thread_begins_when_it_is_needed_and_ends_with_the_test():
    def beside_threads() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name == "loom-beside-the-test"]

    beside = Beside()
    assert beside_threads() == []
    beside.close()

    async def where() -> str:
        return threading.current_thread().name

    assert beside.wait_for(where()) == "loom-beside-the-test"
    assert beside_threads() == ["loom-beside-the-test"]
    beside.close()
    assert beside_threads() == []
    assert beside.wait_for(where()) == "loom-beside-the-test"
    beside.close()
