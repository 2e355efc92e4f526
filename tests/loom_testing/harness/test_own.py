"""A bridge for one test alone, killed, frozen and started anew."""

from __future__ import annotations

import contextlib
import os
import threading

import pytest

from loom.endpoint import Endpoint
from loom_testing.harness.control import NamespaceOptions
from loom_testing.harness.errors import BridgeDiedError, HarnessError
from loom_testing.harness.host import RemoteHost
from loom_testing.harness.own import OwnHost
from loom_testing.harness.process import BridgeProcess, FakeProcess

PATIENCE = 20.0


@pytest.fixture
def launched():
    """The bridges that were started, in order."""
    return []


@pytest.fixture
def host(launched):
    def launch() -> BridgeProcess:
        launched.append(FakeProcess())
        return launched[-1]

    host = OwnHost(launch)
    yield host
    host.close()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_is_the_bridge_that_it_started(host, launched):
    (bridge,) = launched
    assert (host.address, host.pid, host.controlled) == (bridge.address, bridge.pid, True)
    namespace = host.namespace()
    assert host.control.snapshot(namespace).agents == {}
    host.check()
    host.release(namespace)
    host.close()
    assert not is_running(bridge.pid)
    assert host.death == ""


def test_one_that_is_killed_is_no_death_that_fails_a_test(host):
    told: list[BridgeDiedError] = []
    host.on_death(told.append)
    pid = host.pid
    host.kill()
    assert not is_running(pid)
    assert (host.death, host.wait_for_death(0), told) == ("", "", [])


def test_one_that_dies_by_itself_is(host):
    told: list[str] = []
    ended = threading.Event()

    def tell(error: BridgeDiedError) -> None:
        told.append(str(error))
        ended.set()

    host.on_death(tell)
    host.restart()  # whoever listened, listens to the next one
    os.kill(host.pid, 9)
    assert ended.wait(PATIENCE)
    assert "the bridge died (killed by signal 9)" in host.wait_for_death(PATIENCE)
    assert len(told) == 1


def test_who_is_forgotten_is_told_of_no_later_bridge_either(host):
    told: list[BridgeDiedError] = []
    host.on_death(told.append)
    host.forget(told.append)
    host.forget(told.append)  # once more is as good
    host.restart()
    os.kill(host.pid, 9)
    assert host.wait_for_death(PATIENCE)
    assert told == []


def test_another_takes_its_place_with_the_same_namespace(host, launched):
    moved: list[Endpoint] = []
    host.moved = moved.append
    options = NamespaceOptions(virtual=True, limits={"queue_events": 3})
    namespace = host.namespace(options)
    host.control.advance(namespace, 5)
    before = host.control.snapshot(namespace)
    host.restart()
    one, other = launched
    assert not is_running(one.pid)
    assert (host.pid, host.address) == (other.pid, other.address)
    assert moved == [Endpoint(other.address, namespace)]
    after = host.control.snapshot(namespace)
    assert after.agents == before.agents == {}


def test_what_needs_the_bridge_says_what_to_do_instead(host):
    host.kill()
    for act in host.check, lambda: host.control:
        with pytest.raises(HarnessError, match=r"killed by the test: await .*\.restart\(\)"):
            act()
    host.restart()
    host.check()
    host.freeze()
    for act in host.check, lambda: host.control:
        with pytest.raises(HarnessError, match=r"frozen by the test: await .*\.thaw\(\)"):
            act()
    host.thaw()
    assert host.control.snapshot(host.namespace()).agents == {}


def test_nothing_is_done_twice(host):
    with pytest.raises(HarnessError, match="the bridge is not frozen"):
        host.thaw()
    host.freeze()
    with pytest.raises(HarnessError, match="the bridge is frozen already: it cannot be frozen"):
        host.freeze()
    host.kill()
    with pytest.raises(HarnessError, match="the bridge is dead already"):
        host.kill()
    with pytest.raises(HarnessError, match="the bridge is dead: it cannot be frozen"):
        host.freeze()
    with pytest.raises(HarnessError, match="the bridge is not frozen"):
        host.thaw()
    host.restart()
    assert host.control.snapshot(host.namespace()).agents == {}


def test_a_frozen_one_can_be_started_anew_and_closed(host, launched):
    host.freeze()
    host.restart()
    host.freeze()
    host.release("anything")  # is not waited for
    host.close()
    assert [is_running(bridge.pid) for bridge in launched] == [False, False]


def test_the_log_goes_on_over_all_bridges(host):
    assert sum("serving at" in line for line in host.log_since(0)) == 1
    mark = host.log_mark
    host.kill()
    assert sum("serving at" in line for line in host.log_since(0)) == 1
    host.restart()
    assert sum("serving at" in line for line in host.log_since(0)) == 2
    assert sum("serving at" in line for line in host.log_since(mark)) == 1


def test_a_bridge_of_somebody_else_is_not_killed():
    with contextlib.closing(FakeProcess()) as other:
        with pytest.raises(HarnessError, match=f"the bridge at {other.address} is not the test's own"):
            OwnHost(lambda: RemoteHost(other.address))
        assert is_running(other.pid)


def test_one_that_does_not_come_up_again_leaves_nothing(launched):
    def launch() -> BridgeProcess:
        if launched:
            raise HarnessError("there is none")
        launched.append(FakeProcess())
        return launched[-1]

    host = OwnHost(launch)
    with pytest.raises(HarnessError, match="there is none"):
        host.restart()
    assert not is_running(launched[0].pid)
    with pytest.raises(HarnessError, match="killed by the test"):
        host.check()
    host.close()


def test_a_test_goes_on_only_when_the_end_is_told_of(host):
    first, seen = host.pid, []
    host.until_lost = lambda: seen.append(is_running(first))
    host.kill()
    assert seen == [False]
    host.restart()
    assert seen == [False]  # it was dead already
    second = host.pid
    host.until_lost = lambda: seen.append(is_running(second))
    host.restart()
    assert seen == [False, False]
