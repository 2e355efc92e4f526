"""Bugs in virtual clocks, and in who takes part in them (CTL-2, CTL-3)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

CALLS = "loom_testing/engine/calls.py"
CLOCK = "loom_testing/clock.py"
CONTROL = "loom_testing/control.py"
DRIVER = "loom_testing/driver.py"
FLOW = "loom_testing/engine/flow.py"
SESSIONS = "loom_testing/engine/sessions.py"
LIVENESS = "            liveness=request.liveness or not request.virtual_clock,\n"
ADVANCE = "loom_testing/advance.py"
PARTICIPANTS = "loom_testing/participants.py"
PARTICIPATE = "loom_testing/participate.py"
ADVANCED = (
    "            fired = await driver.advance(request.by_us, request.patience_ms / 1000 or PATIENCE_S)\n"
)

MUTANTS = [
    Mutant(
        clause="CTL-2.1",
        name="looking-takes-time",
        why="a virtual clock moves by a microsecond each time it is looked at",
        file=CLOCK,
        old="        return self._now\n",
        new="        self._now += 1\n        return self._now\n",
        killed_by="the time, without an Advance",
    ),
    Mutant(
        clause="CTL-2.2",
        name="a-clock-of-milliseconds",
        why="a virtual clock moves by whole milliseconds",
        file=CLOCK,
        old="self._now = max(self._now, moment)",
        new="self._now = max(self._now, moment - moment % 1000)",
        killed_by="the time (that|after) an Advance by 1 us",
    ),
    Mutant(
        clause="CTL-2.3",
        name="real-clocks-are-an-argument",
        why="the refusal to move a real clock has another status",
        file=DRIVER,
        old='                "FAILED_PRECONDITION",\n',
        new='                "INVALID_ARGUMENT",\n',
        killed_by="an Advance of a real clock: the gRPC status: expected .*, got INVALID_ARGUMENT",
    ),
    Mutant(
        clause="CTL-2.4",
        name="events-live-for-whole-seconds",
        why="the time of an event is rounded up to seconds",
        file="loom_testing/engine/publish.py",
        old="return core.now + micros(int(view.ttl))",
        new="return core.now + micros(-(-int(view.ttl) // 1000) * 1000)",
        killed_by="how many events are queued after 1,500 ms: expected 1, got 2",
    ),
    Mutant(
        clause="CTL-2.5",
        name="calls-end-a-microsecond-late",
        why="a call times out a microsecond after its time",
        file=CALLS,
        old="deadline = core.now + micros(min(timeout, core.limits.call_timeout_ms))",
        new="deadline = core.now + micros(min(timeout, core.limits.call_timeout_ms)) + 1",
        killed_by="how many deadlines fire then: expected 1, got 0",
    ),
    Mutant(
        clause="CTL-2.6",
        name="handshakes-have-all-the-time",
        why="a stream may wait with its handshake for ever",
        file=SESSIONS,
        old="    core.timers.set(TimerKind.HANDSHAKE, number, core.now + micros(core.limits.handshake_ms))\n",
        new="",
        killed_by="that a deadline fires when the time for a handshake is over",
    ),
    Mutant(
        clause="CTL-2.7",
        name="registrations-lapse-late",
        why="a registration lapses after twice its time",
        file="loom_testing/engine/registration.py",
        old="lapse = core.now + micros(core.limits.registration_lapse_ms)",
        new="lapse = core.now + 2 * micros(core.limits.registration_lapse_ms)",
        killed_by="whether the agent is there when its time is over: expected False, got True",
    ),
    Mutant(
        clause="CTL-2.9",
        name="results-are-kept-a-moment-longer",
        why="a result is kept for a millisecond more than is told",
        file="loom_testing/engine/results.py",
        old="expires = core.now + micros(core.limits.idempotency_ms)",
        new="expires = core.now + micros(core.limits.idempotency_ms + 1)",
        killed_by="expected it to be given to provider, got an answer to its caller",
    ),
    Mutant(
        clause="CTL-2.10",
        name="slow-consumers-have-longer",
        why="a slow consumer is cut off a millisecond late",
        file=FLOW,
        old="core.now + micros(core.limits.slow_consumer_ms)",
        new="core.now + micros(core.limits.slow_consumer_ms + 1)",
        killed_by="whether the slow agent is there when its time is over: expected False, got True",
    ),
    Mutant(
        clause="CTL-2.11",
        name="time-leaps",
        why="within an Advance everything happens at its end",
        file=ADVANCE,
        old="                    await self._fire(moment, patience)\n                    fired += 1\n",
        new="                    await self._fire(target, patience)\n                    fired += 1\n",
        killed_by="the time that the call had left when the event expired, ms: expected 9000, got 5000",
    ),
    Mutant(
        clause="CTL-2.12",
        name="an-advance-fires-one",
        why="however many deadlines fire, one is counted",
        file=CONTROL,
        old="fired=fired)",
        new="fired=min(fired, 1))",
        killed_by="how many deadlines fire in each of three steps: expected \\[2, 1, 0\\], got \\[1, 1, 0\\]",
    ),
    Mutant(
        clause="CTL-2.13",
        name="always-liveness",
        why="silent sessions are taken for dead on virtual clocks too",
        file=CONTROL,
        old=LIVENESS,
        new="            liveness=True,\n",
        killed_by="the stream of a: expected a message, got its end with UNAVAILABLE .HEARTBEAT_TIMEOUT",
    ),
    Mutant(
        clause="CTL-2.14",
        name="no-liveness-when-asked",
        why="liveness is off on a virtual clock, whatever is asked for",
        file=CONTROL,
        old=LIVENESS,
        new="            liveness=not request.virtual_clock,\n",
        killed_by="whether the silent agent is there after four heartbeats: expected False, got True",
    ),
    Mutant(
        clause="CTL-2.15",
        name="any-distance",
        why="an Advance may go a thousand years",
        file=CONTROL,
        old="if request.by_us > MOST_ADVANCE_US:",
        new="if request.by_us > 1000 * MOST_ADVANCE_US:",
        killed_by="an Advance by 31622400000001 us: expected INVALID_ARGUMENT, got an answer",
    ),
    Mutant(
        clause="CTL-2.16",
        name="all-clocks-together",
        why="an Advance moves the virtual clocks of all namespaces",
        file=CONTROL,
        old=ADVANCED,
        new=(
            ADVANCED + "            for other in self._namespaces:\n"
            "                if other.virtual and other is not driver:\n"
            "                    await other.advance(request.by_us)\n"
        ),
        killed_by="the time of the other namespace",
    ),
    Mutant(
        clause="CTL-2.17",
        name="the-grace-is-virtual",
        why="the grace of a virtual namespace is never over",
        file=DRIVER,
        old="            if isinstance(self.clock, VirtualClock):\n                self.clock.move_to(",
        new="            if not self.virtual:\n                self.clock.move_to(",
        killed_by="the call whose clock stands: expected a result, got UNAVAILABLE",
    ),
    Mutant(
        clause="CTL-3.1",
        name="participants-begin-at-zero",
        why="a participant that joins is told the time zero",
        file=PARTICIPATE,
        old="driver.participants.join(request.join.participant, driver.clock.now())",
        new="driver.participants.join(request.join.participant, 0)",
        killed_by="the time that it is told: expected \\d+, got 0",
    ),
    Mutant(
        clause="CTL-3.2",
        name="timers-never-fire",
        why="participants are told the time, but never to fire",
        file=PARTICIPANTS,
        old="min(due, key=lambda item: item[:3])[3].tell(now, fire=True, report=bool(self._watchers))",
        new="min(due, key=lambda item: item[:3])[3].tell(now, report=bool(self._watchers))",
        killed_by="Control.Advance: expected an answer, got|when it was told to fire: expected",
    ),
    Mutant(
        clause="CTL-3.3",
        name="the-bridge-comes-first",
        why="within an Advance the deadlines of the bridge come before those of participants",
        file=ADVANCE,
        old="        return min((moment for moment in moments if moment is not None), default=None)\n",
        new="        return next((moment for moment in moments if moment is not None), None)\n",
        killed_by="the time and the open calls when the timer fires",
    ),
    Mutant(
        clause="CTL-3.4",
        name="the-busy-are-not-waited-for",
        why="what a participant is busy with is not looked at",
        file=PARTICIPANTS,
        old="        if report.busy:\n",
        new="        if report.busy and not report.turn:\n",
        killed_by="the (time|Advance) while a participant is busy",
    ),
    Mutant(
        clause="CTL-3.5",
        name="messages-are-not-waited-for",
        why="what both sides have counted is not compared",
        file=PARTICIPANTS,
        old="            _under_way(report.calls[number], stream) for number",
        new="            number < 0 for number",
        killed_by="the (time|Advance) while an event is under way",
    ),
    Mutant(
        clause="CTL-3.6",
        name="patience-without-a-reason",
        why="an Advance that gives up does not say why",
        file=CONTROL,
        old='f"the clock waits for what is not idle: {problem}"',
        new='"the clock waits for what is not idle"',
        killed_by="with a patience of 100 ms: the status details name the culprit: .*writing a poem",
    ),
    Mutant(
        clause="CTL-3.7",
        name="who-left-is-waited-for",
        why="a participant that left stays on the list",
        file=PARTICIPANTS,
        old="            del self._joined[participant.id]\n",
        new='            participant.finish("OK", "")\n',
        killed_by="Control.Advance: expected an answer, got DEADLINE_EXCEEDED",
    ),
    Mutant(
        clause="CTL-3.8",
        name="equal-times-by-participant",
        why="timers of one time fire in the order of the participants' ids",
        file=PARTICIPANTS,
        old="            (report.next, report.next_of, participant.id, participant)\n",
        new='            (report.next, "", participant.id, participant)\n',
        killed_by="the order in which the timers fire: expected \\['a', 'm', 'z'\\], got \\['m', 'z', 'a'\\]",
    ),
    Mutant(
        clause="CTL-3.9",
        name="the-older-participant-lingers",
        why="who is put out by another of its id is not told",
        file=PARTICIPANTS,
        old='            before.finish("ABORTED", "another participant joined under this id")\n',
        new="            before.report = None\n",
        killed_by="participant p: expected to be told something, got nothing in time",
    ),
    Mutant(
        clause="CTL-3.10",
        name="taking-part-in-real-time",
        why="a participant may join a namespace on the real clock",
        file=PARTICIPATE,
        old="    driver.check_virtual()\n",
        new="",
        killed_by="participant p: expected to be told something, got nothing in time",
    ),
    Mutant(
        clause="CTL-3.11",
        name="turns-of-tomorrow",
        why="a report may be about a turn that was never told",
        file=PARTICIPANTS,
        old="        if not 0 < report.turn <= participant.turn:\n",
        new="        if not 0 < report.turn:\n",
        killed_by="participant p: expected to be told something, got nothing in time",
    ),
    Mutant(
        clause="CTL-3.12",
        name="jumps-of-two",
        why="a Jump fires two deadlines",
        file=ADVANCE,
        old="                    await self._fire(moment, patience)\n                    return\n",
        new=(
            "                    await self._fire(moment, patience)\n"
            "                    await self._fire(self._next() or moment, patience)\n"
            "                    return\n"
        ),
        killed_by="the time that the Jump answers",
    ),
    Mutant(
        clause="CTL-3.13",
        name="jumps-over-bystanders",
        why="a Jump does not care who takes no part",
        file=ADVANCE,
        old="                    if apart:\n",
        new="                    if len(apart) > 1000:\n",
        killed_by="a Jump with a bystander: expected FAILED_PRECONDITION, got an answer",
    ),
    Mutant(
        clause="CTL-3.14",
        name="participants-outlive-their-namespace",
        why="a participant of a namespace that is reset hears nothing of it",
        file=PARTICIPANTS,
        old='            participant.finish("UNAVAILABLE", message)\n',
        new="            participant.report = None\n",
        killed_by="participant p: expected to be told something, got nothing in time",
    ),
    Mutant(
        clause="CTL-3.15",
        name="nobody-is-told-of-the-clock",
        why="a registration does not say which clock the namespace has",
        file="loom_testing/server.py",
        old="virtual_clock=driver.virtual)",
        new="virtual_clock=False)",
        killed_by="virtual_clock of the one on a virtual clock: expected True, got False",
    ),
]
