"""Bugs in keeping namespaces apart (NS)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

CORE = "loom_testing/engine/core.py"
EVENT_STREAM = "loom_testing/event_stream.py"
NAMESPACES = "loom_testing/namespaces.py"
SERVER = "loom_testing/server.py"

GET = """        driver = self._drivers.get(name)
        return driver if driver is not None else self.create(name)
"""
MERGED = """        name = name.partition(".")[0]
        driver = self._drivers.get(name)
        return driver if driver is not None else self.create(name)
"""
"""Namespaces are told apart by the first token of their name only."""

MUTANTS = [
    # NS-1
    Mutant(
        clause="NS-1.1",
        name="events-cross-below-one-name",
        why="namespaces are told apart by their first token, so that events cross",
        file=NAMESPACES,
        old=GET,
        new=MERGED,
        killed_by="what the agent of left receives: expected .*left.*, got .*right",
    ),
    Mutant(
        clause="NS-1.2",
        name="calls-cross-below-one-name",
        why="namespaces are told apart by their first token, so that calls cross",
        file=NAMESPACES,
        old=GET,
        new=MERGED,
        killed_by="a call in the other namespace: expected an answer without a",
    ),
    Mutant(
        clause="NS-1.3",
        name="one-listing-for-all",
        why="the capabilities of all namespaces are listed together",
        file=SERVER,
        old="        return codec.encode_capabilities(reply)\n",
        new="""        decode = codec.decode_list_capabilities
        others = [each for each in self._namespaces if each is not driver]
        replies = [reply, *[await _ask(each, None, data, context, decode) for each in others]]
        return b"".join(codec.encode_capabilities(each) for each in replies)
""",
        killed_by="what is listed in (right|left|a namespace without agents): expected",
    ),
    Mutant(
        clause="NS-1.4",
        name="the-newest-wins-everywhere",
        why="a newer stream ends the older one of its agent id in every namespace",
        file=EVENT_STREAM,
        old="        self.agent = self._claimed\n",
        new="""        self.agent = self._claimed
        older = globals().setdefault("_LIVE", {}).get(self.agent)
        if older is not None:
            older.end("ABORTED", "SUPERSEDED: a newer stream of the agent")
        globals()["_LIVE"][self.agent] = self
""",
        killed_by="the stream of left: expected a message, got its end with ABORTED",
    ),
    Mutant(
        clause="NS-1.5",
        name="registered-everywhere",
        why="an agent is registered in every namespace that is there",
        file=SERVER,
        old="        if reply.error_code == Code.DRAINING:\n",
        new="""        for each in self._namespaces:
            if each is not driver:
                await _ask(each, None, data, context, codec.decode_register)
        if reply.error_code == Code.DRAINING:
""",
        killed_by="a handshake in the other namespace: expected that the bridge ends the stream",
    ),
    Mutant(
        clause="NS-1.6",
        name="one-memory-of-answers",
        why="the results kept for repeats are those of all namespaces",
        file=CORE,
        old="        self.kept: OrderedDict[CallKey, KeptResult] = OrderedDict()\n",
        new='        self.kept = globals().setdefault("_KEPT", OrderedDict())\n',
        killed_by="the call in right: expected a is given the call, got the answer",
    ),
    Mutant(
        clause="NS-1.7",
        name="one-memory-of-publishes",
        why="the outcomes of producers are those of all namespaces",
        file=CORE,
        old="        self.producers: OrderedDict[ProducerKey, OrderedDict[int, Outcome]] = OrderedDict()\n",
        new='        self.producers = globals().setdefault("_PRODUCERS", OrderedDict())\n',
        killed_by=r"what is delivered in right: expected .*right.*, got \[\]",
    ),
    # NS-2
    Mutant(
        clause="NS-2.1",
        name="another-default",
        why="without the key it is another namespace than `default`",
        file=SERVER,
        old='DEFAULT_NAMESPACE = "default"\n',
        new='DEFAULT_NAMESPACE = "main"\n',
        killed_by=r"what the client without a namespace receives: expected .*x.*, got \[\]",
    ),
    Mutant(
        clause="NS-2.2",
        name="namespaces-must-be-made",
        why="a namespace is there only once it was made",
        file=NAMESPACES,
        old=GET,
        new="        return self.find(name)\n",
        killed_by="Heartbeat by client: expected an answer, got NOT_FOUND",
    ),
    Mutant(
        clause="NS-2.3",
        name="namespaces-with-wildcards",
        why="the name of a namespace may have wildcards in it",
        file=NAMESPACES,
        old="            if problem:\n",
        new='            if problem and "wildcard" not in problem:\n',
        killed_by=r"in the namespace a\.\*: expected INVALID_ARGUMENT, got an answer",
    ),
    Mutant(
        clause="NS-2.3",
        name="an-empty-name-is-the-default",
        why="an empty name stands for the default namespace",
        file=SERVER,
        old="    return DEFAULT_NAMESPACE if named is None else named\n",
        new="    return named or DEFAULT_NAMESPACE\n",
        killed_by="in a namespace without a name: expected INVALID_ARGUMENT, got an answer",
    ),
    Mutant(
        clause="NS-2.4",
        name="streams-fall-back-to-the-default",
        why="a stream in a malformed namespace is one in the default namespace",
        file=SERVER,
        old="        driver, tag = await self._driver(context)\n        await EventStream(",
        new="""        tag = None
        try:
            driver = self._namespaces.get(_namespace_name(context))
        except Refused:
            driver = self._namespaces.get(DEFAULT_NAMESPACE)
        await EventStream(""",
        killed_by="a stream in the namespace not a name: (expected that the bridge ends|the gRPC status)",
    ),
    Mutant(
        clause="NS-2.5",
        name="the-same-name-twice",
        why="the key may be given twice if both say the same",
        file=SERVER,
        old="    if len(named) > 1:\n",
        new="    if len(set(named)) > 1:\n",
        killed_by="expected INVALID_ARGUMENT, got an answer",
    ),
]
