"""The state that the modules of an engine share, and the few things all of them do to it."""

from __future__ import annotations

from collections import OrderedDict

from loom_testing.engine.agent import Agent
from loom_testing.engine.call import Call, CallKey, KeptResult, Waiter
from loom_testing.engine.counters import Counter
from loom_testing.engine.limits import Limits
from loom_testing.engine.outputs import Output
from loom_testing.engine.router import Router
from loom_testing.engine.stream import Stream
from loom_testing.engine.timers import TimerKind, Timers

__all__ = ["Core", "Outcome", "ProducerKey"]

Outcome = tuple[int, str]
"""What a confirmed publish came to: receivers matched, and a code where it was refused."""
ProducerKey = str
"""An agent's id and its producer number, joined by a slash."""


class Core:
    """Everything one engine knows."""

    def __init__(self, created: int, limits: Limits, liveness: bool) -> None:
        self.created = created
        self.now = created
        self.limits = limits
        self.liveness = liveness
        self.agents: dict[str, Agent] = {}
        self.streams: dict[int, Stream] = {}
        self.router = Router()
        self.timers = Timers()
        self.providers: dict[str, dict[str, Agent]] = {}
        """Who offers a capability, by its name and the agent's id; live or not."""
        self.calls: dict[int, Call] = {}
        self.calls_by_id: dict[str, Call] = {}
        self.calls_by_key: dict[CallKey, Call] = {}
        self.waiters: dict[int, Waiter] = {}
        self.queues: dict[str, OrderedDict[int, Call]] = {}
        """Calls waiting for a provider, by capability, in order; no empty ones (ACT-7)."""
        self.queued_bytes: dict[str, int] = {}
        self.kept: OrderedDict[CallKey, KeptResult] = OrderedDict()
        self.kept_bytes = 0
        self.producers: OrderedDict[ProducerKey, OrderedDict[int, Outcome]] = OrderedDict()
        self.charges: dict[str, int] = {}
        """Copies that wait for a full subscriber, by publisher; no zeros (FLOW-2)."""
        self.freed: dict[str, None] = {}
        """Capabilities whose waiting calls are to be looked at again before the step ends."""
        self.counters: dict[Counter, int] = {}
        self.draining = False
        self.drained = False
        self.outputs: list[Output] = []
        self._last_epoch = created
        self._last_registration = created
        self._last_call = 0
        self._last_serial = 0

    def emit(self, output: Output) -> None:
        """Adds to what the step answers."""
        self.outputs.append(output)

    def count(self, counter: Counter, by: int = 1) -> None:
        """Counts."""
        self.counters[counter] = self.counters.get(counter, 0) + by

    def live_stream(self, agent: Agent) -> Stream | None:
        """The agent's open stream, if it has one."""
        return None if agent.stream is None else self.streams[agent.stream]

    def next_epoch(self) -> int:
        """A session number that was never used, also not before a restart of the bridge (SES-4)."""
        self._last_epoch += 1
        return self._last_epoch

    def next_registration(self) -> int:
        """A registration number, larger than all before it."""
        self._last_registration += 1
        return self._last_registration

    def next_call(self) -> int:
        """The number of a new call."""
        self._last_call += 1
        return self._last_call

    def call_id(self, number: int) -> str:
        """The bridge's own id of a call: unique in the namespace, also across restarts (ACT-1)."""
        return f"{self.created:x}-{number}"

    def next_serial(self) -> int:
        """A number larger than all before it, for 'served longest ago'."""
        self._last_serial += 1
        return self._last_serial

    def forget_everything(self) -> None:
        """Forgets what outlives agents and calls, and starts counting anew (CTL-4)."""
        for key in self.producers:
            self.timers.cancel(TimerKind.PRODUCER, key)
        self.timers.cancel(TimerKind.KEPT, 0)
        self.producers.clear()
        self.kept.clear()
        self.kept_bytes = 0
        self.counters.clear()
