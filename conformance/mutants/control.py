"""Bugs in looking, breaking, holding, forgetting and watching (CTL-1, CTL-4 to CTL-7)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

BRIDGE = "loom_testing/bridge.py"
CONTROL = "loom_testing/control.py"
DRIVER = "loom_testing/driver.py"
ENGINE = "loom_testing/engine/engine.py"
FLOW = "loom_testing/engine/flow.py"
NAMESPACES = "loom_testing/namespaces.py"
SNAPSHOT = "loom_testing/engine/snapshot.py"
SNAPSHOT_ANSWER = (
    "        return _snapshot_response(await self._namespaces.find(request.namespace).ask(Snapshot))\n"
)

MUTANTS = [
    Mutant(
        clause="CTL-1.1",
        name="epochs-are-not-shown",
        why="a snapshot shows no epochs",
        file=SNAPSHOT,
        old="        stream.epoch if stream else 0,\n",
        new="        0,\n",
        killed_by="the epoch of the one with a stream: expected \\d+, got 0",
    ),
    Mutant(
        clause="CTL-1.2",
        name="replies-are-shown",
        why="a snapshot shows the replies topic that every agent hears",
        file=SNAPSHOT,
        old="for route in agent.routes if not route.implicit]",
        new="for route in agent.routes]",
        killed_by="the subscriptions that are shown: .*got .*agent.a.replies",
    ),
    Mutant(
        clause="CTL-1.3",
        name="versions-are-not-shown",
        why="a snapshot shows capabilities without their versions",
        file=SNAPSHOT,
        old='return f"{name}@{version}" if version else name',
        new="return name",
        killed_by="the capabilities that are shown: expected \\['c@1.0', 'd'\\], got \\['c', 'd'\\]",
    ),
    Mutant(
        clause="CTL-1.4",
        name="queued-bytes-are-not-shown",
        why="a snapshot shows no bytes of queues",
        file=SNAPSHOT,
        old="outbox.bytes if outbox else 0,",
        new="0,",
        killed_by="how many bytes they have: expected \\d+, got 0",
    ),
    Mutant(
        clause="CTL-1.5",
        name="who-is-slowed-is-not-shown",
        why="a snapshot shows nobody as read no further",
        file=SNAPSHOT,
        old="stream.paused if stream else False,",
        new="False,",
        killed_by="whether the publisher is shown as read no further: expected True, got False",
    ),
    Mutant(
        clause="CTL-1.6",
        name="callers-are-not-shown",
        why="a snapshot shows every call as anonymous",
        file=SNAPSHOT,
        old="            _caller(call.request.headers),\n",
        new='            "",\n',
        killed_by="the callers of the calls: expected \\['someone', ''\\], got \\['', ''\\]",
    ),
    Mutant(
        clause="CTL-1.7",
        name="one-caller-each",
        why="a snapshot shows one caller for each call, however many joined",
        file=SNAPSHOT,
        old="            len(call.waiters),\n",
        new="            1,\n",
        killed_by="that three callers wait for the one call: expected it to become true",
    ),
    Mutant(
        clause="CTL-1.8",
        name="counters-by-another-name",
        why="counters are named as the code names them, not as the table does",
        file=SNAPSHOT,
        old="{counter.value: core.counters[counter] for",
        new="{counter.name: core.counters[counter] for",
        killed_by="the counter agents_registered: expected 2, got 0",
    ),
    Mutant(
        clause="CTL-1.9",
        name="snapshots-of-everything",
        why="a snapshot shows the agents of all namespaces",
        file=CONTROL,
        old=SNAPSHOT_ANSWER,
        new=(
            SNAPSHOT_ANSWER.replace("return", "response =") + "        for driver in self._namespaces:\n"
            "            if driver.name != request.namespace:\n"
            "                others = (await driver.ask(Snapshot)).agents\n"
            "                response.agents.extend(_agent(agent) for agent in others)\n"
            "        return response\n"
        ),
        killed_by="the agents shown of here: expected \\['here'\\], got \\['here', 'there'\\]",
    ),
    Mutant(
        clause="CTL-1.10",
        name="agents-by-their-ids",
        why="a snapshot lists agents in the order of their ids",
        file=SNAPSHOT,
        old="key=lambda agent: agent.registration)",
        new="key=lambda agent: agent.agent_id)",
        killed_by="the order of the agents: expected \\['z', 'a', 'm'\\]",
    ),
    Mutant(
        clause="CTL-1.11",
        name="holds-are-not-shown",
        why="a snapshot shows nobody as held",
        file=SNAPSHOT,
        old="stream.held if stream else False,",
        new="False,",
        killed_by="whether its writes are shown as held: expected True, got False",
    ),
    Mutant(
        clause="CTL-4.1",
        name="a-disconnect-says-why",
        why="a disconnected agent is told before its stream ends",
        file=ENGINE,
        old='sessions.cut(core, stream, "UNAVAILABLE", Code.UNAVAILABLE, abrupt=True)',
        new='sessions.cut(core, stream, "UNAVAILABLE", Code.UNAVAILABLE)',
        killed_by="what comes before the end: expected nothing, got .*err",
    ),
    Mutant(
        clause="CTL-4.2",
        name="a-disconnect-leaves-the-agent",
        why="a disconnected agent stays, without its stream",
        file=ENGINE,
        old='    sessions.cut(core, stream, "UNAVAILABLE", Code.UNAVAILABLE, abrupt=True)\n',
        new=(
            "    agent = core.agents[stream.agent_id]\n"
            '    sessions.cut(core, stream, "UNAVAILABLE", Code.UNAVAILABLE, abrupt=True)\n'
            "    fresh = type(agent)(agent.agent_id, state=type(agent.state).REGISTERED)\n"
            "    core.agents[agent.agent_id] = fresh\n"
        ),
        killed_by="whether the agent is there afterwards: expected False, got True",
    ),
    Mutant(
        clause="CTL-4.3",
        name="nothing-to-break-is-an-error",
        why="a disconnect of an agent without a stream is refused",
        file=CONTROL,
        old="        driver.feed(Disconnect(",
        new=(
            "        agents = {agent.agent_id: agent for agent in (await driver.ask(Snapshot)).agents}\n"
            "        if not agents[request.agent_id].epoch:\n"
            '            raise Refused("FAILED_PRECONDITION", "the agent has no stream")\n'
            "        driver.feed(Disconnect("
        ),
        killed_by="Control.Disconnect: expected an answer, got FAILED_PRECONDITION",
    ),
    Mutant(
        clause="CTL-4.4",
        name="a-hold-holds-nothing",
        why="writes go on although they are held",
        file=FLOW,
        old="    stream.held = True\n",
        new="    stream.held = False\n",
        killed_by="how many events were written to it: expected 0, got 1",
    ),
    Mutant(
        clause="CTL-4.5",
        name="the-first-is-written-last",
        why="after a release the first message of the queue is written last",
        file=FLOW,
        old="    stream.held = False\n    pump(core, stream)\n",
        new=(
            "    stream.held = False\n"
            "    stream.outbox.queue.move_to_end(next(iter(stream.outbox.queue)))\n"
            "    pump(core, stream)\n"
        ),
        killed_by="what comes after the release",
    ),
    Mutant(
        clause="CTL-4.6",
        name="a-hold-holds-everybody",
        why="the writes of all agents are held",
        file=ENGINE,
        old="inputs.Hold: _of_agent(lambda core, stream: flow.hold(stream)),",
        new="inputs.Hold: _of_agent(lambda core, stream: [flow.hold(one) for one in core.streams.values()]),",
        killed_by="how many events are queued for each: expected .*'other': 0.*got .*'other': 3",
    ),
    Mutant(
        clause="CTL-4.7",
        name="any-agent-is-found",
        why="agents that are not there are controlled without a word",
        file=CONTROL,
        old="        if all(agent.agent_id != agent_id for agent in snapshot.agents):\n",
        new="        if not agent_id and snapshot.agents:\n",
        killed_by="Disconnect of nobody: expected NOT_FOUND, got an answer",
    ),
    Mutant(
        clause="CTL-4.8",
        name="a-reset-says-nothing",
        why="the streams of a namespace that is reset end without a word",
        file=ENGINE,
        old="Code.NAMESPACE_RESET, reset=True)",
        new="Code.NAMESPACE_RESET, reset=True, abrupt=True)",
        killed_by="the stream of s: the status details name the culprit|how many messages come to s before",
    ),
    Mutant(
        clause="CTL-4.9",
        name="a-reset-loses-providers",
        why="the calls of a namespace that is reset are answered as though their providers were lost",
        file=ENGINE,
        old='    calls.fail_all(core, Code.NAMESPACE_RESET, "the namespace was reset")\n',
        new="",
        killed_by="a call that was open: the result's error code: expected 'NAMESPACE_RESET', got",
    ),
    Mutant(
        clause="CTL-4.10",
        name="a-reset-keeps-the-namespace",
        why="a namespace that is reset is emptied, but stays",
        file=NAMESPACES,
        old='                self._remove(driver, "the namespace was reset")\n',
        new="",
        killed_by="a snapshot after the reset: expected NOT_FOUND, got an answer",
    ),
    Mutant(
        clause="CTL-4.11",
        name="a-reset-by-prefix",
        why="a reset takes along the namespace whose name begins like its own",
        file=NAMESPACES,
        old='                self._remove(driver, "the namespace was reset")\n',
        new=(
            '                self._remove(driver, "the namespace was reset")\n'
            "                for other in self:\n"
            "                    if name.startswith(other.name):\n"
            '                        self._remove(other, "the namespace was reset")\n'
        ),
        killed_by="the stream of a: expected a message, got its end with UNAVAILABLE",
    ),
    Mutant(
        clause="CTL-4.12",
        name="only-the-first-is-reset",
        why="a reset of several namespaces is one of the first",
        file=CONTROL,
        old="        self._namespaces.reset(request.namespace, *request.others)\n",
        new="        self._namespaces.reset(request.namespace)\n",
        killed_by="a snapshot of .*one after the reset: expected NOT_FOUND, got an answer",
    ),
    Mutant(
        clause="CTL-4.13",
        name="one-that-is-gone-keeps-the-others",
        why="a reset of which a namespace is not there resets none",
        file=NAMESPACES,
        old="        for name in names:\n            driver = self._drivers.get(name)\n",
        new=(
            "        for name in missing:\n            self.find(name)\n"
            "        for name in names:\n            driver = self._drivers.get(name)\n"
        ),
        killed_by="a snapshot of .* after the reset: expected NOT_FOUND, got an answer",
    ),
    Mutant(
        clause="CTL-5.1",
        name="made-again",
        why="making a namespace that is there makes a fresh one in its place",
        file=NAMESPACES,
        old="        if name in self._drivers:\n",
        new="        if not name:\n",
        killed_by="making it again: expected ALREADY_EXISTS, got an answer",
    ),
    Mutant(
        clause="CTL-5.2",
        name="any-name",
        why="a namespace may have any name that is no longer than is allowed",
        file=NAMESPACES,
        old="        problem = agent_id_problem(name)\n",
        new='        problem = agent_id_problem(name) if len(name) > 128 or not name else ""\n',
        killed_by="a namespace named 'not a name': expected INVALID_ARGUMENT, got an answer",
    ),
    Mutant(
        clause="CTL-5.3",
        name="limits-are-forgotten",
        why="a namespace has the limits of the bridge, whatever is asked for",
        file=NAMESPACES,
        old="name, clock, limits or self.limits,",
        new="name, clock, self.limits,",
        killed_by="the limit that is told there, and what comes of the event: expected .100, .*got .1048576",
    ),
    Mutant(
        clause="CTL-5.4",
        name="strange-limits-are-passed-over",
        why="limits that nobody knows are passed over",
        file=CONTROL,
        old="        return limits.with_overrides(overrides)\n",
        new=(
            "        known = {k: v for k, v in overrides.items() if hasattr(limits, k)}\n"
            "        return limits.with_overrides(known)\n"
        ),
        killed_by="a namespace with .'nothing_of_that': 1.: expected INVALID_ARGUMENT, got an answer",
    ),
    Mutant(
        clause="CTL-5.5",
        name="limits-of-the-bridge-are-taken",
        why="a limit of the whole bridge is taken, and not kept",
        file=CONTROL,
        old="    shared = sorted(BRIDGE_LIMITS & overrides.keys())\n",
        new="    shared = sorted(BRIDGE_LIMITS & overrides.keys())[1:]\n",
        killed_by="a namespace with its own connection_streams: expected INVALID_ARGUMENT, got an answer",
    ),
    Mutant(
        clause="CTL-5.6",
        name="time-stands-by-default",
        why="a namespace that begins with a call has a virtual clock",
        file=NAMESPACES,
        old="return driver if driver is not None else self.create(name)",
        new="return driver if driver is not None else self.create(name, virtual=True)",
        killed_by="that time passes by itself: expected it to become true",
    ),
    Mutant(
        clause="CTL-5.7",
        name="only-the-first-is-made",
        why="several namespaces are asked for, and one is made",
        file=CONTROL,
        old="            [request.namespace, *request.others],\n",
        new="            [request.namespace],\n",
        killed_by="how many were made: expected 3, got 1",
    ),
    Mutant(
        clause="CTL-5.7",
        name="only-the-firsts-time-stands",
        why="of several namespaces only the first has the clock that is asked for",
        file=NAMESPACES,
        old="VirtualClock() if virtual else",
        new="VirtualClock() if virtual and name == names[0] else",
        killed_by="Control.Advance: expected an answer, got FAILED_PRECONDITION",
    ),
    Mutant(
        clause="CTL-5.8",
        name="made-until-one-cannot-be",
        why="several namespaces are made one after another, until one cannot be made",
        file=NAMESPACES,
        old="        self._check_new(names)\n        drivers = []\n        for name in names:\n",
        new="        drivers = []\n        for name in names:\n            self._check_new([name])\n",
        killed_by="a snapshot of .*one, made with .*: expected NOT_FOUND, got an answer",
    ),
    Mutant(
        clause="CTL-6.1",
        name="quiet-steps-are-not-told",
        why="a watch leaves out the steps to which the engine answers nothing",
        file=DRIVER,
        old="        if self.watch is not None:\n",
        new="        if self.watch is not None and outputs:\n",
        killed_by="the kinds of the steps: expected .*'open', .*got \\['register', 'receive'",
    ),
    Mutant(
        clause="CTL-6.2",
        name="everything-is-told",
        why="who watches one namespace is told of all",
        file=NAMESPACES,
        old='tuple(w for w in self._watchers if w.namespace in ("", driver.name))',
        new="tuple(self._watchers)",
        killed_by="whose steps are told to who watches one namespace",
    ),
    Mutant(
        clause="CTL-6.3",
        name="a-watch-never-ends",
        why="a watch goes on although its namespace is gone",
        file=NAMESPACES,
        old="            if watcher.namespace == driver.name:\n",
        new="            if not watcher.namespace:\n",
        killed_by="the watch: expected a step or its end, got nothing in time",
    ),
    Mutant(
        clause="CTL-6.4",
        name="missed-steps-are-hidden",
        why="steps that are left out are not counted",
        file="loom_testing/watch.py",
        old="            self._skipped += 1\n",
        new="            self._skipped = 0\n",
        killed_by="what is counted as left out, where \\d+ of 60 publishes were not told: .*got 0",
    ),
    Mutant(
        clause="CTL-7.1",
        name="looking-makes-it",
        why="a namespace that is asked about begins with that",
        file=NAMESPACES,
        old="        driver = self._drivers.get(name)\n        if driver is None:\n",
        new="        driver = self.get(name)\n        if driver is None:\n",
        killed_by="Advance of a namespace that is not there: .*expected NOT_FOUND",
    ),
    Mutant(
        clause="CTL-7.2",
        name="control-for-everybody",
        why="the testing control is served on every bridge",
        file=BRIDGE,
        old="        if self._testing:\n            handlers +=",
        new="        if self._server is None:\n            handlers +=",
        killed_by="of a bridge that is not for testing",
    ),
]
