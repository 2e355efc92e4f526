"""A bridge as a test run sees it: namespaces, with and without a testing control."""

from __future__ import annotations

import threading

import pytest

from loom.errors import BridgeUnavailable
from loom_testing import FakeBridge
from loom_testing.harness.beside import Beside
from loom_testing.harness.control import NamespaceOptions
from loom_testing.harness.errors import HarnessError, NoControlError
from loom_testing.harness.host import RemoteHost

PATIENCE = 20.0


@pytest.fixture
def beside():
    loop = Beside()
    yield loop
    loop.close()


@pytest.fixture(params=[True, False], ids=["testing", "not-testing"])
def bridge(beside, request):
    bridge = FakeBridge(testing=request.param)
    beside.wait_for(bridge.start())
    yield bridge
    beside.wait_for(bridge.stop())


@pytest.fixture
def host(bridge):
    host = RemoteHost(bridge.address)
    yield host
    host.close()


def namespaces(bridge, beside) -> set[str]:
    async def look():
        return {driver.name for driver in bridge.namespaces}

    return beside.wait_for(look())


@pytest.mark.parametrize("bridge", [True], indirect=True)
def test_each_namespace_is_made_fresh_and_ended(host, bridge, beside):
    first, second = host.namespace(), host.namespace()
    assert first != second
    assert {first, second} <= namespaces(bridge, beside)
    host.release(first)
    host.release(second)
    host.release(second)  # what is gone already is fine
    host.close()
    assert namespaces(bridge, beside) == set()


@pytest.mark.parametrize("bridge", [True], indirect=True)
def test_options_are_the_namespaces_own(host, bridge):
    real = host.namespace(NamespaceOptions(virtual=False))
    with pytest.raises(HarnessError, match="runs on the real clock"):
        host.control.advance(real, 1)
    with pytest.raises(HarnessError, match="no_such_limit"):
        host.namespace(NamespaceOptions(limits={"no_such_limit": 1}))
    virtual = host.namespace()
    before = host.control.snapshot(virtual).now
    assert host.control.advance(virtual, 3600) == 0
    assert host.control.snapshot(virtual).now == pytest.approx(before + 3600)


@pytest.mark.parametrize("bridge", [False], indirect=True)
def test_without_control_a_namespace_is_only_a_name(host, bridge, beside):
    first, second = host.namespace(), host.namespace()
    assert first != second
    assert not host.controlled
    host.release(first)
    assert namespaces(bridge, beside) == set()
    assert host.namespace(NamespaceOptions(virtual=False)).startswith("test-")
    for wish in (NamespaceOptions(limits={"event_bytes": 10}), NamespaceOptions(liveness=True)):
        with pytest.raises(NoControlError, match="clock and limits cannot be chosen there"):
            host.namespace(wish)


def test_nobody_is_there():
    host = RemoteHost("127.0.0.1:1")
    with pytest.raises(BridgeUnavailable, match=r"no bridge answers at 127\.0\.0\.1:1"):
        host.namespace()
    host.close()


@pytest.mark.parametrize("bridge", [True], indirect=True)
def test_a_host_that_cannot_know_of_death_knows_of_none(host, bridge):
    told = threading.Event()
    host.on_death(lambda error: told.set())
    host.forget(lambda error: told.set())
    assert (host.death, host.wait_for_death(0), host.log_since(host.log_mark)) == ("", "", [])
    assert not told.is_set()
