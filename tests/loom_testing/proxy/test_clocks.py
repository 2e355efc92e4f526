"""The clocks of the namespaces behind a proxy."""

from __future__ import annotations

import asyncio

import pytest

from loom.endpoint import Endpoint
from loom.testing.v1 import control_pb2 as c
from loom_testing.driver import Refused
from loom_testing.proxy.clocks import Clocks, RealClock
from loom_testing.proxy.dialling import Dial
from tests.loom_testing.peers import PATIENCE, until
from tests.loom_testing.proxy.memory import virtual_namespace


@pytest.fixture
async def clocks(bridge):
    clocks = Clocks(Dial(Endpoint(bridge.address)), lambda seconds: None)
    yield clocks
    await clocks.close()


@pytest.fixture
async def virtual(peer):
    """The name of a namespace whose clock is a test's."""
    await virtual_namespace(peer)
    return "ns"


async def test_the_real_clock():
    clock, fired = RealClock(), asyncio.Event()
    assert not clock.is_virtual
    before = clock.now()
    clock.call_at(before, "", fired.set)
    await fired.wait()
    assert clock.now() >= before
    clock.call_at(clock.now() + 10**9, "", fired.clear).cancel()


async def test_a_namespace_that_nobody_spoke_of_has_the_real_clock(clocks):
    assert not clocks.of("ns").is_virtual
    assert clocks.joint_now("ns") == 0


async def test_a_tests_clock_is_used_from_when_it_is_known(clocks, virtual):
    joint = clocks.joint(virtual)
    assert not clocks.of(virtual).is_virtual, "its time is not known yet"
    await joint.joined()
    assert clocks.of(virtual) is joint is clocks.joint(virtual)
    assert clocks.joint_now(virtual) == joint.now() > 0


async def test_a_namespace_that_is_not_there_is_not_asked_for_again(clocks):
    with pytest.raises(Refused) as caught:
        await clocks.joint("nowhere").joined()
    assert caught.value.status == "NOT_FOUND"
    await until(lambda: not clocks._joint)


async def test_a_namespace_that_is_there_later_can_be_joined_then(clocks, peer):
    with pytest.raises(Refused):
        await clocks.joint("ns").joined()
    await virtual_namespace(peer)
    await clocks.joint("ns").joined()
    assert clocks.of("ns").is_virtual


async def test_the_clock_of_a_namespace_that_has_ended_is_forgotten(clocks, virtual, peer):
    await clocks.joint(virtual).joined()
    await peer.control.Reset(c.ResetRequest(namespace=virtual), timeout=PATIENCE)
    await until(lambda: not clocks._joint)
    assert not clocks.of(virtual).is_virtual


async def test_when_the_bridge_is_another_all_join_there(clocks, virtual, bridge):
    joint = clocks.joint(virtual)
    await joint.joined()
    before = joint.now()
    await clocks.join_again()
    assert clocks.joint(virtual) is joint
    assert joint.now() >= before
