"""Namespaces: made on first use, apart from each other, removed when nobody uses them."""

from __future__ import annotations

import asyncio
import gc

import pytest

from loom_testing.driver import Driver, Refused
from loom_testing.engine.inputs import Heartbeat, Open, Register
from loom_testing.engine.limits import Limits
from loom_testing.engine.trace import decode_step
from loom_testing.namespaces import Namespaces
from loom_testing.watch import Watcher
from tests.loom_testing.peers import PATIENCE


class Sink:
    """A stream that only notes its end."""

    def __init__(self, driver: Driver) -> None:
        self.ended = ("", "")
        self.number = driver.open(self)

    def end(self, status: str, message: str, *, abrupt: bool = False) -> None:
        self.ended = (status, message)

    def accept(self) -> None: ...
    def send(self, message: object) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    async def flushed(self) -> None: ...


@pytest.fixture
async def namespaces():
    namespaces = Namespaces(Limits(namespaces=3))
    yield namespaces
    namespaces.close()


async def register(driver: Driver, agent_id: str = "a") -> None:
    assert not (await driver.ask(lambda call: Register(call, agent_id))).error_code


async def test_a_namespace_is_made_on_first_use_and_stays(namespaces):
    driver = namespaces.get("one")
    assert namespaces.get("one") is driver
    assert namespaces.get("two") is not driver
    assert [driver.name for driver in namespaces] == ["one", "two"]
    assert len(namespaces) == 2


async def test_find_makes_nothing(namespaces):
    with pytest.raises(Refused, match='no namespace "one"') as refused:
        namespaces.find("one")
    assert refused.value.status == "NOT_FOUND"
    assert len(namespaces) == 0


@pytest.mark.parametrize("name", ["", "a b", "a..b", "a.*", "x" * 129, "ä"])
async def test_a_malformed_name_is_refused(namespaces, name):
    with pytest.raises(Refused) as refused:
        namespaces.get(name)
    assert refused.value.status == "INVALID_ARGUMENT"


async def test_there_are_only_so_many(namespaces):
    for name in ("one", "two", "three"):
        namespaces.get(name)
    with pytest.raises(Refused, match="has 3 namespaces and takes 3 at the most") as refused:
        namespaces.get("four")
    assert refused.value.status == "RESOURCE_EXHAUSTED"
    namespaces.reset("two")
    namespaces.get("four")


async def test_create_refuses_what_is_there(namespaces):
    namespaces.create("one", virtual=True)
    with pytest.raises(Refused) as refused:
        namespaces.create("one")
    assert refused.value.status == "ALREADY_EXISTS"


@pytest.mark.parametrize(
    ("names", "status", "culprit"),
    [
        (["new", "one"], "ALREADY_EXISTS", '"one"'),
        (["new", "not a name"], "INVALID_ARGUMENT", '"not a name"'),
        (["new", "new"], "INVALID_ARGUMENT", '"new" is named twice'),
        (["new", "newer", "newest"], "RESOURCE_EXHAUSTED", "has 1 namespaces and takes 3"),
    ],
)
async def test_all_are_made_or_none(namespaces, names, status, culprit):
    namespaces.create("one")
    with pytest.raises(Refused, match=culprit) as refused:
        namespaces.create_all(names)
    assert refused.value.status == status
    assert [driver.name for driver in namespaces] == ["one"]
    made = namespaces.create_all(["new", "newer"], virtual=True)
    assert [(driver.name, driver.virtual) for driver in made] == [("new", True), ("newer", True)]


async def test_many_are_reset_whatever_is_missing(namespaces):
    namespaces.create_all(["one", "two", "three"])
    namespaces.reset("one", "two")
    assert [driver.name for driver in namespaces] == ["three"]
    with pytest.raises(Refused, match='"two"') as refused:
        namespaces.reset("two", "three", "three")
    assert refused.value.status == "NOT_FOUND"
    assert len(namespaces) == 0


async def test_clocks_and_liveness(namespaces):
    assert not namespaces.get("one").virtual
    assert namespaces.create("two", virtual=True).virtual


async def test_a_namespace_may_have_limits_of_its_own(namespaces):
    assert namespaces.create("one", limits=Limits(event_bytes=5)).limits.event_bytes == 5
    assert namespaces.get("two").limits is namespaces.limits


async def test_a_reset_ends_streams_and_forgets(namespaces):
    driver = namespaces.get("one")
    sink = Sink(driver)
    await register(driver)
    namespaces.reset("one")
    assert sink.ended[0] == "UNAVAILABLE"
    assert len(namespaces) == 0
    fresh = namespaces.get("one")
    assert fresh is not driver
    assert fresh.engine.is_idle


async def test_a_reset_namespace_is_not_kept_in_memory(namespaces):
    namespaces.get("one")
    namespaces.reset("one")
    gc.collect()
    assert not [thing for thing in gc.get_objects() if type(thing) is Driver and thing.name == "one"]


# Watching.


async def test_a_watcher_hears_of_its_namespace_only(namespaces):
    one, two = namespaces.get("one"), namespaces.get("two")
    watcher = Watcher("one")
    namespaces.watch(watcher)
    await two.ask(lambda call: Heartbeat(call, 2))
    await one.ask(lambda call: Heartbeat(call, 1))
    line = await watcher.next()
    assert line.namespace == "one"
    assert decode_step(line.text).input == Heartbeat(1, 1)


async def test_a_watcher_of_all_hears_of_later_ones_too(namespaces):
    watcher = Watcher()
    namespaces.watch(watcher)
    await namespaces.get("later").ask(lambda call: Heartbeat(call, 1))
    assert (await watcher.next()).namespace == "later"


async def test_who_does_not_watch_costs_nothing(namespaces):
    driver = namespaces.get("one")
    watcher = Watcher()
    assert driver.watch is None
    namespaces.watch(watcher)
    assert driver.watch is not None
    namespaces.unwatch(watcher)
    assert driver.watch is None


async def test_watching_what_is_not_there(namespaces):
    with pytest.raises(Refused) as refused:
        namespaces.watch(Watcher("one"))
    assert refused.value.status == "NOT_FOUND"


async def test_a_watch_ends_with_its_namespace_after_telling_how(namespaces):
    namespaces.get("one")
    mine, all_of_them = Watcher("one"), Watcher()
    namespaces.watch(mine)
    namespaces.watch(all_of_them)
    namespaces.reset("one")
    assert '"reset"' in (await mine.next()).text
    assert await mine.next() is None
    assert '"reset"' in (await all_of_them.next()).text
    later = asyncio.create_task(all_of_them.next())
    await asyncio.sleep(0)
    assert not later.done()
    later.cancel()


# Removal.


def pass_unused(namespaces: Namespaces, seconds: float) -> None:
    """So long nobody has been there; then the bridge looks who still is."""
    namespaces._last_used -= seconds
    for driver in namespaces:
        driver.touched -= seconds
    namespaces._sweep()


async def test_an_idle_namespace_is_removed_after_a_while(namespaces):
    for name in ("one", "two"):
        namespaces.get(name)
        pass_unused(namespaces, 59)
        assert len(namespaces) == 1
        pass_unused(namespaces, 2)
        assert len(namespaces) == 0


async def test_it_looks_by_itself():
    namespaces = Namespaces(Limits(), idle_seconds=0.03)
    watcher = Watcher("one")
    namespaces.get("one")
    namespaces.watch(watcher)
    async with asyncio.timeout(PATIENCE):
        assert await watcher.next() is None  # the watch ends with the namespace
    namespaces.close()


async def test_a_namespace_with_a_stream_or_an_agent_stays(namespaces):
    Sink(namespaces.get("stream"))
    await register(namespaces.get("agent"))
    namespaces.get("nothing")
    for _ in range(3):
        pass_unused(namespaces, 61)
        assert [driver.name for driver in namespaces] == ["stream", "agent"]


async def test_a_namespace_in_whose_clock_somebody_takes_part_stays(namespaces):
    driver = namespaces.create("virtual", virtual=True)
    participant = driver.participants.join("p", driver.clock.now())
    pass_unused(namespaces, 601)
    assert len(namespaces) == 1
    driver.participants.leave(participant)
    pass_unused(namespaces, 601)
    assert len(namespaces) == 0


async def test_a_virtual_namespace_stays_longer_whatever_it_remembers(namespaces):
    await register(namespaces.create("virtual", virtual=True))
    namespaces.get("real")
    pass_unused(namespaces, 61)
    assert [driver.name for driver in namespaces] == ["virtual"]
    pass_unused(namespaces, 540)
    assert len(namespaces) == 0


async def test_making_and_resetting_a_namespace_is_use(namespaces):
    pass_unused(namespaces, 5)
    namespaces.get("one")
    assert namespaces.seconds_unused() < 5
    pass_unused(namespaces, 5)
    namespaces.reset("one")
    assert namespaces.seconds_unused() < 5


async def test_how_long_nobody_was_there(namespaces):
    sink = Sink(namespaces.get("one"))
    pass_unused(namespaces, 5)
    assert namespaces.seconds_unused() == 0
    namespaces.get("one").leave(sink.number)
    assert namespaces.seconds_unused() < 5
    pass_unused(namespaces, 100)
    assert len(namespaces) == 0
    assert namespaces.seconds_unused() >= 100
    await namespaces.get("two").ask(lambda call: Heartbeat(call, 1))
    assert namespaces.seconds_unused() < 5


# The end.


async def test_a_drain_takes_nothing_new(namespaces):
    driver = namespaces.get("one")
    sink = Sink(driver)
    await namespaces.drain(PATIENCE)
    assert sink.ended[0] == "UNAVAILABLE"
    with pytest.raises(Refused) as refused:
        namespaces.get("two")
    assert refused.value.status == "UNAVAILABLE"
    with pytest.raises(Refused):
        namespaces.watch(Watcher())


async def test_a_namespace_that_cannot_drain_does_not_keep_the_others(namespaces, caplog):
    broken, fine = namespaces.get("one"), Sink(namespaces.get("two"))

    def fail(came_in: object) -> None:
        raise RuntimeError("planted")

    broken.feed = fail
    await namespaces.drain(PATIENCE)
    assert fine.ended[0] == "UNAVAILABLE"
    assert "planted" in caplog.text


async def test_closing_ends_streams_and_watches(namespaces):
    sink, watcher = Sink(namespaces.get("one")), Watcher()
    namespaces.watch(watcher)
    await namespaces.get("one").ask(lambda call: Heartbeat(call, 0))
    namespaces.close()
    assert sink.ended == ("UNAVAILABLE", "the bridge stopped")
    assert isinstance(decode_step((await watcher.next()).text).input, Heartbeat | Open)
    assert await watcher.next() is None
