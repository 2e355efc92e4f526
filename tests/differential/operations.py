"""Random operations on an engine, as a shell would give them: a little world that remembers what is open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from loom_testing.engine import Engine
from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from loom_testing.engine import outputs as o
from loom_testing.engine.states import StreamState
from loom_testing.engine.trace import Header
from tests.differential.values import AGENTS, BAD_TOPICS, TOPICS, Values

START = 1_700_000_000_000_000
STEPS = 300
"""How many operations one case has."""

SMALL: dict[str, list[int]] = {
    "event_bytes": [60, 1024],
    "queue_events": [1, 2, 5, 100],
    "queue_bytes": [40, 200, 10_000],
    "waiting_calls": [1, 3, 100],
    "subscriptions": [5, 8, 100],
    "capabilities": [2, 3],
    "producer_outcomes": [1, 3, 100],
    "call_timeout_ms": [1_000, 100_000],
    "default_call_timeout_ms": [200, 30_000],
    "registration_lapse_ms": [500, 30_000],
    "handshake_ms": [300, 10_000],
    "goodbye_flush_ms": [100, 5_000],
    "slow_consumer_ms": [200, 10_000],
    "idempotency_ms": [1_000, 120_000],
    "producer_ms": [1_000, 120_000],
    "heartbeat_interval_ms": [200, 3_000],
    "stream_window": [1, 2, 8, 64],
    "stream_replies": [1, 2, 4, 256],
    "kept_results": [1, 2, 100],
    "kept_result_bytes": [30, 200, 10_000],
    "producers": [1, 2, 100],
}


class Operations:
    """One case: the same seed gives the same operations."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.values = Values(self.random, self.random.choice([0.0, 0.01, 0.05]))
        often = self.random.choice([0.1, 0.5, 0.9])
        limits = {name: self.random.choice(choices) for name, choices in SMALL.items() if self.chance(often)}
        if self.chance(0.4):
            limits |= {
                "stream_window": self.random.choice([1, 2]),
                "queue_events": self.random.choice([1, 2, 4]),
            }
        self.header = Header(START, limits, self.chance(0.5), f"differential, seed {seed}")
        self.engine = Engine(START, self.header.engine_limits(), liveness=self.header.liveness)
        self.now = START
        self.streams: list[int] = []
        self.gone: list[int] = []
        self.unwritten: dict[int, int] = {}
        self.given: list[tuple[int, str]] = []
        """Calls that were given to a stream, by its number and the bridge's id of the call."""
        self.callers: list[int] = []
        self.calls: list[m.ActionCall] = []
        self.registrations: list[int] = [0]
        self.steps = 0
        self._last = 0
        self._choices, self._weights = self._menu()
        self._planned = self._beginning()

    def chance(self, often: float) -> bool:
        return self.random.random() < often

    def step(self) -> tuple[int, i.Input, list[o.Output]]:
        """One operation: when, what came in, what went out."""
        self.steps += 1
        came_in = next(self._planned, None)
        if came_in is None and self.chance(0.1) and len(self._open_streams()) < 2:
            self._planned = self._beginning()
        if came_in is None:
            self.now += self._pause()
            came_in = self.random.choices(self._choices, self._weights)[0]()
        outputs = self.engine.handle(came_in, self.now)
        for output in outputs:
            self._see(output)
        return self.now, came_in, outputs

    def _beginning(self) -> Iterator[i.Input]:
        """A few agents join, so that there is someone for things to happen to."""
        for agent_id in AGENTS[: self.random.randint(2, 4)]:
            yield self._register(agent_id)
            yield self._open()
            yield self._handshake(agent_id)

    def _menu(self) -> tuple[list[Callable[[], i.Input]], list[float]]:
        """What may happen, and how often: each case has its own inclination."""
        menu: dict[Callable[[], i.Input], float] = {
            self._register: 5,
            self._open: 1,
            self._handshake: 3,
            self._publish: 25,
            self._writable: 15,
            self._invoke: 10,
            self._answer: 9,
            self._ping: 2,
            self._subscribe: 2,
            self._unsubscribe: 2,
            self._odd_message: 0.7,
            self._goodbye: 0.5,
            self._half_close: 0.4,
            self._break: 0.5,
            self._abandon: 2,
            self._hold: 1.5,
            self._release: 1.5,
            self._disconnect: 0.3,
            self._list: 0.7,
            self._heartbeat: 0.3,
            self._snapshot: 2,
            self._tick: 3,
            self._drain: 0.4,
            self._reset: 0.05,
        }
        return list(menu), [weight * self.random.choice([0.2, 1, 1, 3]) for weight in menu.values()]

    def _pause(self) -> int:
        """Microseconds until the next operation: none, a moment, or to about the next deadline."""
        deadline = self.engine.next_deadline()
        match self.random.randrange(100):
            case 0 | 1 if deadline is not None:
                return max(0, deadline - self.now + self.random.choice([-1, 0, 0, 1]))
            case 2 | 3 | 4:
                return self.random.randrange(200_000)
            case 5 if self.chance(0.3):
                return self.random.randrange(200_000_000)
            case which if which < 40:
                return self.random.randrange(2_000)
            case _:
                return 0

    def _see(self, output: o.Output) -> None:
        match output:
            case o.RegisterReply(registration=registration) if registration:
                self.registrations.append(registration)
            case o.Send(stream, message):
                self.unwritten[stream] = self.unwritten.get(stream, 0) + 1
                if isinstance(message, m.ActionCall):
                    self.given.append((stream, message.id))
            case o.End(stream):
                self._forget(stream)
            case o.Answer(call) if call in self.callers:
                self.callers.remove(call)
            case _:
                pass

    def _forget(self, stream: int) -> None:
        if stream in self.streams:
            self.streams.remove(stream)
            self.gone.append(stream)
        self.unwritten.pop(stream, None)

    def _number(self) -> int:
        """A number that was not used before, in no order, as a shell may choose them."""
        self._last += 1
        return self._last if self.chance(0.5) else self._last + self.random.randrange(1, 1 << 20) * 1_000_000

    def _stream(self) -> int:
        """Mostly an open stream; sometimes one that awaits its handshake or is gone."""
        opened = self._open_streams()
        if opened and not self.chance(0.02):
            return self.random.choice(opened)
        return self.random.choice([*self.streams[:1], *self.gone[-3:], 0])

    def _open_streams(self) -> list[int]:
        return [number for number in self.streams if self._is(number, StreamState.OPEN)]

    def _register(self, agent_id: str = "") -> i.Input:
        subscriptions = self.values.subscriptions() if self.chance(0.8) else []
        features = self.values.features()
        if subscriptions and not self.chance(0.05):
            features.append("subscriptions")
        return i.Register(
            self._number(),
            agent_id or self.values.agent(),
            self.values.some(["a", "a.*", ">", "*.b", "b"], 2, ["a*", ""]),
            self.values.capabilities(),
            {"name": "value"} if self.chance(0.1) else {},
            subscriptions,
            features,
            self.random.choice([None, None, True, False]),
        )

    def _open(self) -> i.Input:
        number = self._number()
        self.streams.append(number)
        return i.Open(number)

    def _handshake(self, agent_id: str = "") -> i.Input:
        """Mostly for an agent that is there; first a stream is opened where none awaits a handshake."""
        waiting = [number for number in self.streams if self._is(number, StreamState.AWAITING)]
        if not waiting:
            return self._open()
        agent_id = agent_id or self._agent_there()
        stale = self.chance(0.05)
        registration = self.random.choice(self.registrations) if stale else 0
        producer = self.random.choice([0, 1, 2, 1 << 63])
        ack = m.Ack(agent_id, 0, 0, [], registration, producer)
        return i.Receive(self.random.choice(waiting), ack)

    def _agent_there(self) -> str:
        """Mostly an agent that is registered, and mostly one without a stream."""
        there = list(self.engine._core.agents.values())
        alone = [agent for agent in there if agent.stream is None]
        found = alone if alone and not self.chance(0.2) else there
        return self.random.choice(found).agent_id if found and not self.chance(0.05) else self.values.agent()

    def _is(self, number: int, state: StreamState) -> bool:
        stream = self.engine._core.streams.get(number)
        return stream is not None and stream.state is state

    def _publish(self) -> i.Input:
        event = None if self.chance(self.values.bad / 3) else self.values.event()
        topic = self.values.pick(TOPICS, BAD_TOPICS)
        confirm = self.chance(0.4)
        pub_seq = self.random.randint(0 if self.chance(0.1) else 1, 8) if confirm else 0
        return i.Receive(self._stream(), m.Publish(topic, event, confirm, pub_seq))

    def _writable(self) -> i.Input:
        if not self.unwritten:
            return self._publish()
        stream = self.random.choice(list(self.unwritten))
        count = self.unwritten.pop(stream)
        if self.chance(0.3):
            written = self.random.randint(0, count)
            self.unwritten[stream] = count - written
            count = written
        return i.Writable(stream, count)

    def _invoke(self) -> i.Input:
        number = self._number()
        self.callers.append(number)
        self.calls.append(
            self.random.choice(self.calls[-5:]) if self.calls and self.chance(0.4) else self.values.call()
        )
        return i.Invoke(number, self.calls[-1])

    def _answer(self) -> i.Input:
        if not self.given:
            return self._invoke()
        stream, call_id = self.random.choice(self.given[-20:])
        if not self.chance(0.1):
            self.given.remove((stream, call_id))
        if self.chance(0.05):
            stream = self._stream()
        if self.chance(0.03):
            call_id = self.random.choice(["", "nonsense", "x" * 300, 'é"'])
        return i.Receive(stream, self.values.result(call_id))

    def _ping(self) -> i.Input:
        return i.Receive(self._stream(), m.Ping(self.random.choice([0, 5, -5, 2**63 - 1])))

    def _subscribe(self) -> i.Input:
        return i.Receive(self._stream(), m.Subscribe(self.random.choice([0, 3]), self.values.subscriptions()))

    def _unsubscribe(self) -> i.Input:
        subscriptions = self.values.subscriptions()
        return i.Receive(self._stream(), m.Unsubscribe(self.random.choice([0, 4]), subscriptions))

    def _odd_message(self) -> i.Input:
        odd: list[m.ClientMessage] = [
            m.Unknown(),
            m.Unknown("batch"),
            m.Ack("a", 1, 2, [(3, 4)]),
            m.Ack(),
            m.Ping(1),
            m.Subscribe(),
        ]
        return i.Receive(self._stream(), self.random.choice(odd))

    def _goodbye(self) -> i.Input:
        return i.Receive(self._stream(), m.Goodbye(self.random.choice(["", "bye"])))

    def _half_close(self) -> i.Input:
        return i.HalfClose(self._stream())

    def _break(self) -> i.Input:
        stream = self._stream()
        self._forget(stream)
        return i.Break(stream)

    def _abandon(self) -> i.Input:
        call = self.random.choice(self.callers) if self.callers and not self.chance(0.05) else 0
        if call:
            self.callers.remove(call)
        return i.Abandon(call)

    def _hold(self) -> i.Input:
        return i.Hold(self._agent_there())

    def _release(self) -> i.Input:
        return i.Release(self.values.agent())

    def _disconnect(self) -> i.Input:
        return i.Disconnect(self.values.agent())

    def _list(self) -> i.Input:
        return i.ListCapabilities(self._number())

    def _heartbeat(self) -> i.Input:
        return i.Heartbeat(self._number(), self.random.choice([0, -1, 2**63 - 1]))

    def _snapshot(self) -> i.Input:
        return i.Snapshot(self._number())

    def _tick(self) -> i.Input:
        return i.Tick()

    def _drain(self) -> i.Input:
        """Late: little happens after it."""
        if self.steps < STEPS * 2 // 3:
            return i.Tick()
        return i.DrainAll(self.random.choice([0, 100, 10_000]))

    def _reset(self) -> i.Input:
        return i.Reset()
