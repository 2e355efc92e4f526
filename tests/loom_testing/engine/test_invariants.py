"""What must hold whatever happens: random histories against a naive oracle.

Every event reaches exactly the agents the oracle names, in order; a queue group's event reaches one member;
every call ends exactly once; and when everyone has gone nothing is left behind.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from tests.loom_testing.engine.conftest import replay
from tests.loom_testing.engine.test_router import PATTERNS, TOPICS, naive
from tests.loom_testing.engine.world import Client, World

NAMES = st.sampled_from(["a1", "a2", "a3", "a4"])
GROUP_TOPIC = "work.item"


class History(RuleBasedStateMachine):
    """One engine, up to four agents, and what the oracle expects of each."""

    streams: Bundle[str] = Bundle("streams")
    given: Bundle[tuple[str, str]] = Bundle("given")

    @initialize(queue_events=st.integers(1, 3), window=st.integers(1, 4))
    def begin(self, queue_events: int, window: int) -> None:
        self.world = World(queue_events=queue_events, stream_window=window, slow_consumer_ms=10**9)
        self.live: dict[str, Client] = {}
        self.patterns: dict[str, list[str]] = {}
        self.expected: dict[str, list[str]] = {}
        self.got: dict[str, list[str]] = {}
        self.group_got: dict[str, int] = {}
        self.calls: list[int] = []
        self.abandoned: set[int] = set()
        self.serial = 0

    def collect(self) -> None:
        for name, client in self.live.items():
            for event_id in client.event_ids():
                if event_id.startswith("group"):
                    self.group_got[event_id] += 1
                else:
                    self.got[name].append(event_id)

    @rule(name=NAMES, patterns=st.lists(PATTERNS, max_size=3), member=st.booleans(), most=st.integers(1, 2))
    def register(self, name: str, patterns: list[str], member: bool, most: int) -> None:
        capability = m.Capability("cap", metadata={"loom.max_concurrency": str(most)})
        groups = [m.Subscription(GROUP_TOPIC, group="workers")] if member else []
        reply = self.world.register(name, *patterns, capabilities=[capability], subscriptions=groups)
        assert reply.error_code == ""
        self.patterns[name] = patterns

    @rule(name=NAMES)
    def stream(self, name: str) -> None:
        """Opens a stream, or takes over the one that is there: its queue goes on."""
        client = self.world.open(name)
        if client.accepted:
            if name not in self.live:
                self.expected[name], self.got[name] = [], []
            else:
                self.collect()
            self.live[name] = client
        else:
            assert name not in self.live

    @rule(name=NAMES, topic=st.one_of(TOPICS, st.just(GROUP_TOPIC)))
    def publish(self, name: str, topic: str) -> None:
        client = self.live.get(name)
        if client is None or client.paused:
            return
        self.serial += 1
        kind = "group" if topic == GROUP_TOPIC else "event"
        event_id = f"{kind}-{self.serial}"
        if kind == "group":
            self.group_got[event_id] = 0
        self.world.publish(client, topic, event_id)
        for reader in self.live:
            if kind == "event" and any(naive(pattern, topic) for pattern in self.patterns[reader]):
                self.expected[reader].append(event_id)

    @rule(name=NAMES)
    def hold(self, name: str) -> None:
        self.world.do(i.Hold(name))

    @rule(name=NAMES)
    def release(self, name: str) -> None:
        self.world.do(i.Release(name))

    @rule(name=NAMES, how=st.sampled_from(["goodbye", "half-close", "break", "disconnect"]))
    def leave(self, name: str, how: str) -> None:
        client = self.live.get(name)
        if client is None:
            return
        self.collect()
        del self.live[name]
        if how == "goodbye":
            self.world.say(client, m.Goodbye())
        elif how == "half-close":
            self.world.do(i.HalfClose(client.number))
        elif how == "break":
            self.world.do(i.Break(client.number))
        else:
            self.world.do(i.Disconnect(name))
        got = self.got[name] + [item for item in client.event_ids() if item.startswith("event")]
        assert got == self.expected[name][: len(got)]

    @rule(timeout_ms=st.integers(1, 5000), call_id=st.sampled_from(["", "1", "2"]))
    def call(self, timeout_ms: int, call_id: str) -> None:
        self.calls.append(self.world.invoke("cap", call_id, "caller", timeout_ms=timeout_ms))

    @rule(data=st.data())
    def abandon(self, data: Any) -> None:
        still_open = [call for call in self.calls if self.world.answer(call) is None]
        if still_open:
            call = data.draw(st.sampled_from(still_open))
            self.abandoned.add(call)
            self.world.do(i.Abandon(call))

    @rule(target=given, name=NAMES)
    def take_call(self, name: str) -> Any:
        client = self.live.get(name)
        calls = client.take(m.ActionCall) if client else []
        return (name, calls[0].id) if calls else (name, "none")

    @rule(given=consumes(given), status=st.integers(0, 3))
    def answer(self, given: tuple[str, str], status: int) -> None:
        name, call_id = given
        if name in self.live and not self.live[name].paused:
            self.world.say(self.live[name], m.ActionResult(call_id, status))

    @rule(seconds=st.sampled_from([0.001, 1.0, 31.0, 121.0]))
    def wait(self, seconds: float) -> None:
        self.world.wait(seconds)

    @invariant()
    def queues_are_bounded(self) -> None:
        if not hasattr(self, "world"):
            return
        core = self.world.engine._core
        for stream in core.streams.values():
            assert stream.outbox.events <= core.limits.queue_events
        assert core.charges.keys() >= {
            copy.published.publisher
            for stream in core.streams.values()
            for copy in stream.outbox.waiting.values()
        }
        for agent in core.agents.values():
            assert agent.running.get("cap", 0) <= 2

    def teardown(self) -> None:
        for name in list(self.live):
            self.world.do(i.Release(name))
        self.collect()
        for name in self.live:
            assert self.got[name] == self.expected[name]
        assert all(count <= 1 for count in self.group_got.values())
        for client in self.live.values():
            self.world.say(client, m.Goodbye())
        self.world.wait(200_000)
        for call in self.calls:
            assert (self.world.answer(call) is None) == (call in self.abandoned)
        core = self.world.engine._core
        assert self.world.engine.is_idle
        assert self.world.engine.next_deadline() is None
        left = (core.router, core.timers, core.providers, core.waiters, core.queues, core.queued_bytes)
        assert not any(len(item) for item in left)
        assert not core.charges
        assert not core.calls_by_id
        assert not core.calls_by_key
        assert core.kept_bytes == 0
        replay(self.world.trace)


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
