"""A proxy in a thread beside the test."""

from __future__ import annotations

import threading

import pytest

from loom.endpoint import Endpoint
from loom.sync import SyncClient
from loom_testing.driver import Refused
from loom_testing.faults import Faults
from loom_testing.harness.control import NamespaceOptions
from loom_testing.harness.process import FakeProcess
from loom_testing.proxy import ThreadedProxy
from loom_testing.proxy import proxy as proxy_module


@pytest.fixture(scope="module")
def fake():
    host = FakeProcess()
    yield host
    host.close()


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "loom-proxy"]


def test_it_serves_while_the_test_waits_and_ends_with_its_thread(fake):
    namespace = fake.namespace()
    proxy = ThreadedProxy(Endpoint(fake.address, namespace))
    assert threads() == ["loom-proxy"]
    with SyncClient(Endpoint(proxy.address, namespace)) as client:
        assert client.heartbeat() > 0
        with Faults(proxy.rules).fail("INTERNAL", "no", kind="list") as failed:
            with pytest.raises(Exception, match="no"):
                client.list_capabilities()
            failed.wait()
    transcript = proxy.transcript("about it")
    assert transcript.about == "about it"
    assert any(entry.name == "failed: INTERNAL" for entry in transcript.entries)
    proxy.close()
    assert threads() == []
    proxy.close()  # once more is as good


def test_a_killed_bridges_end_is_told_of_before_the_test_goes_on():
    host = FakeProcess()
    namespace = host.namespace()
    proxy = ThreadedProxy(Endpoint(host.address, namespace))
    with SyncClient(Endpoint(proxy.address, namespace)) as client:
        assert client.heartbeat() > 0
        assert [link.is_up for link in proxy._proxy._links] == [True]
        host.kill()
        proxy.until_lost()
        assert not any(link.is_up for link in proxy._proxy._links)
    proxy.close()
    host.close()


def test_a_bridge_that_lives_after_all_is_no_end(fake, monkeypatch):
    monkeypatch.setattr(proxy_module, "LOST_S", 0.01)
    namespace = fake.namespace()
    proxy = ThreadedProxy(Endpoint(fake.address, namespace))
    with SyncClient(Endpoint(proxy.address, namespace)) as client:
        assert client.heartbeat() > 0
        with pytest.raises(TimeoutError, match=r"stand 0\.01 s after the bridge's end"):
            proxy.until_lost()
    proxy.close()


def test_a_tests_clock_is_joined_before_anybody_connects(fake):
    namespace = fake.namespace(NamespaceOptions(virtual=True))
    proxy = ThreadedProxy(Endpoint(fake.address, namespace), virtual=True)
    fake.control.advance(namespace, 5)
    entries = proxy.transcript().entries
    assert [entry.kind for entry in entries] == ["time"]
    assert proxy._now() == fake.control.snapshot(namespace).now * 1_000_000
    proxy.close()


def test_a_clock_that_is_none_of_a_tests_is_refused_and_leaves_no_thread(fake):
    namespace = fake.namespace(NamespaceOptions(virtual=False))
    with pytest.raises(Refused):
        ThreadedProxy(Endpoint(fake.address, namespace), virtual=True)
    assert threads() == []


def test_a_bridge_elsewhere(fake):
    namespace = fake.namespace()
    proxy = ThreadedProxy(Endpoint("127.0.0.1:1", namespace))
    proxy.retarget(Endpoint(fake.address, namespace))
    with SyncClient(Endpoint(proxy.address, namespace)) as client:
        assert client.heartbeat() > 0
    proxy.close()


def test_faults_of_whole_connections_from_any_thread(fake):
    proxy = ThreadedProxy(Endpoint(fake.address, fake.namespace()))
    assert proxy.cut("nobody") == 0
    assert proxy.stall("nobody", 1) == 0
    proxy.let_go(1)
    proxy.close()
