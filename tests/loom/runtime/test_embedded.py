"""The local bridge that is started by itself, shared, noticed when it is dead, and started again."""

import asyncio
import contextlib
import json
import os
import signal

import pytest

from loom.agent import Agent
from loom.config import Settings
from loom.errors import BridgeUnavailable
from loom.runtime import embedded
from loom.runtime.choose import find_bridge
from loom.threads import run_in_thread

LOCAL = Settings(reason="a test")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A runtime folder of the test's own; the bridges started in it do not outlive it."""
    monkeypatch.setenv("LOOM_RUNTIME_DIR", str(tmp_path / "run"))
    pids = []
    yield Folder(tmp_path / "run", pids)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Folder:
    def __init__(self, path, pids):
        self.path = path
        self.pids = pids

    def pid(self):
        """The bridge that left its address last; it is ended with the test."""
        pid = json.loads((self.path / "bridge.json").read_text())["pid"]
        if pid not in self.pids:
            self.pids.append(pid)
        return pid


async def ended(pid):
    """Waits until a child of ours is gone."""
    async with asyncio.timeout(20):
        await run_in_thread(os.waitpid, pid, 0)


async def test_it_is_started_once_and_shared(folder):
    first, second = await asyncio.gather(find_bridge(LOCAL), find_bridge(LOCAL))
    third = await find_bridge(LOCAL)
    folder.pid()
    assert first.endpoint == second.endpoint == third.endpoint
    reasons = sorted([first.reason, second.reason])
    assert reasons == ["a test: started a local bridge", "a test: the local bridge that runs already"]
    for name in ("bridge.json", "bridge.log", "bridge.lock"):
        assert (folder.path / name).stat().st_mode & 0o077 == 0


async def test_a_file_left_by_a_dead_bridge_is_noticed(folder):
    await find_bridge(LOCAL)
    pid = folder.pid()
    left = (folder.path / "bridge.json").read_text()
    os.kill(pid, signal.SIGKILL)
    await ended(pid)
    assert (folder.path / "bridge.json").read_text() == left
    found = await find_bridge(LOCAL)
    assert folder.pid() != pid
    assert found.reason == "a test: started a local bridge"


@pytest.mark.parametrize("content", ["", "[]", "{", '{"address": 3}', '{"address": "nowhere"}', "\x00"])
async def test_a_file_that_says_nothing_of_use_is_noticed(folder, content):
    folder.path.mkdir(mode=0o700)
    (folder.path / "bridge.json").write_text(content)
    assert embedded.find_running(LOCAL) is None


async def test_agents_find_the_next_local_bridge_when_theirs_is_killed(folder):
    me, seen = Agent("me", settings=LOCAL), asyncio.Event()

    @me.on("t")
    async def handle() -> None:
        seen.set()

    async with me:
        pid = folder.pid()
        os.kill(pid, signal.SIGKILL)
        await ended(pid)
        async with asyncio.timeout(30):
            assert await me.context().emit("t") == 1  # it waits until there is a bridge that confirms it
            await seen.wait()
        assert folder.pid() != pid


async def test_a_bridge_that_does_not_start_is_told_with_its_last_words(folder, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with pytest.raises(BridgeUnavailable, match=r"the local bridge did not start: .*look into .*bridge\.log"):
        await find_bridge(LOCAL)


async def test_somebody_elses_start_is_waited_for_but_not_for_ever(folder, monkeypatch):
    from loom.runtime.folder import locked, runtime_folder

    monkeypatch.setattr(embedded, "START_S", 0.1)
    with locked(runtime_folder(os.environ)), pytest.raises(BridgeUnavailable, match="somebody else starts"):
        await find_bridge(LOCAL)
