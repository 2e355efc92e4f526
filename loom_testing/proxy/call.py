"""`Call`: one gRPC call through the proxy, both directions."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import h2.exceptions

from loom.v1 import agent_pb2
from loom_testing.faults.message import STREAM, Direction, WireMessage
from loom_testing.faults.verdict import Cut
from loom_testing.proxy.framing import Frame, Frames
from loom_testing.proxy.headers import (
    PARTICIPANT,
    answer_of,
    found,
    metadata_of,
    namespace_of,
    replaced,
    status_of,
    tag_of,
    trailers_of,
)
from loom_testing.proxy.lane import Lane, Parcel
from loom_testing.transcript.entry import Way
from loom_testing.transcript.wire import METHODS, method_of

if TYPE_CHECKING:
    from loom_testing.faults.verdict import Status, Verdict
    from loom_testing.proxy.joint import JointClock, UpTraffic
    from loom_testing.proxy.link import Link
    from loom_testing.proxy.wire import Headers

__all__ = ["Call"]

SERVICES = ("/loom.v1.",)
CALLER = "caller"
"""The lane of calls that name no agent."""
STRANGER = "stranger"
"""The lane of a stream that has not said whose it is."""
CANCEL = 8
REFUSED_STREAM = 7
NO_ERROR = 0
MOST_OWED = 32 * 1024
"""Bytes of a client's that wait, half of what it may send ahead: then some may wait with the client, too."""
MOST_ASKED = 10_000
"""Calls given to an agent whose capability is remembered for its answers."""

TO_BRIDGE, TO_AGENT = Direction.TO_BRIDGE, Direction.TO_AGENT


class Call:
    """One call.

    Attributes:
        down: its stream on the client's connection.
        up: its stream on the bridge's; 0 before it was begun there.
        rpc: the method by its short name.
        agent: whose it is; empty while nobody has said so.
        received: messages taken from the client.

    Args:
        link: its connections.
        down: its stream on the client's connection.
        headers: what it begins with.
    """

    def __init__(self, link: Link, down: int, headers: Headers) -> None:
        path = (found(headers, b":path") or b"").decode("ascii", "replace")
        self.down = down
        self.up = 0
        self.rpc = method_of(path)
        self.agent = ""
        self.received = 0
        self._link = link
        self._headers = headers
        self._is_ours = path.startswith(SERVICES) and self.rpc in METHODS
        self._namespace = namespace_of(headers)
        self._tag = tag_of(headers)
        self._number = link.proxy.recorder.new_call() if self._is_ours else 0
        self._up_number = 0
        self._up_traffic: UpTraffic | None = None
        self._joint: JointClock | None = None
        self._given_down = 0
        self._owed = {TO_BRIDGE: 0, TO_AGENT: 0}
        """Bytes whose sender has not been told that they are taken: else it would send without end."""
        self._is_down_over = False
        self._is_answered = False
        self._asked: WireMessage | None = None
        self._given: dict[str, WireMessage] = {}
        self._firsts = {TO_BRIDGE: True, TO_AGENT: True}
        self._frames = {TO_BRIDGE: Frames(), TO_AGENT: Frames()}
        clock = link.proxy.clocks.of(self._namespace)
        if self._tag is not None:
            self._joint = link.proxy.clocks.joint(self._namespace)
            self._joint.participants.began(self._tag, self if self.rpc == STREAM else None)
            clock = self._joint
        self._lanes = {TO_BRIDGE: Lane(_Up(self), clock), TO_AGENT: Lane(_Down(self), clock)}
        self._record_headers()
        self._begins_at_once = self.rpc == STREAM or not self._is_ours
        self.pump()

    @property
    def reading(self) -> bool:
        """Whether the client is read; else what it sends waits on the way."""
        return self._owed[TO_BRIDGE] < MOST_OWED

    @property
    def sent(self) -> int:
        """Messages given to the client, or kept for it only until there is room."""
        return self._given_down + self._ready(TO_AGENT)

    @property
    def who(self) -> str:
        """Whose it is, for transcripts."""
        return self.agent or self._link.agent or (STRANGER if self.rpc == STREAM else CALLER)

    @property
    def is_over(self) -> bool:
        """Whether both sides are done with it."""
        return self._is_down_over

    # What comes in.

    def on_data(self, direction: Direction, data: bytes, *, ended: bool) -> None:
        """Bytes of it, from the client or the bridge."""
        lane = self._lanes[direction]
        frames = self._frames[direction].feed(data)
        self._owed[direction] += len(data)
        for frame in frames:
            if self._is_down_over or lane.is_ended:
                return
            self._message(direction, frame)
        if ended and not lane.is_ended:
            self.on_end(direction, None)
        if not lane.is_blocked:
            self._is_free(direction)

    def on_answer(self, headers: Headers, *, ended: bool) -> None:
        """The bridge answers, or ends it."""
        lane = self._lanes[TO_AGENT]
        if not ended:
            lane.put(Parcel(headers=headers))
        elif not lane.is_ended:
            self.on_end(TO_AGENT, headers)

    def on_end(self, direction: Direction, trailers: Headers | None) -> None:
        """A side says no more."""
        rest = self._frames[direction].rest()
        if direction is TO_AGENT:
            self._end_up()
        if rest is not None:
            self._lanes[direction].put(Parcel(frame=rest, breaks_off=True))
        self._lanes[direction].put(Parcel(headers=trailers, ends=True))

    def on_reset(self, direction: Direction, code: int) -> None:
        """A side broke it."""
        if self._is_down_over or (direction is TO_AGENT and self._lanes[TO_AGENT].is_ended):
            return  # what ended it is on its way
        if self._is_ours:
            self._link.proxy.recorder.reset(self.who, self.rpc, way=direction.way, call=self._number)
        self._over(code, tell_up=direction is TO_BRIDGE, tell_down=direction is TO_AGENT)

    def on_lost(self, way: Way) -> None:
        """The connection was lost, by the side that it comes from."""
        if self._is_down_over:
            return
        if self._is_ours and self.rpc == STREAM:
            self._link.proxy.recorder.reset(self.who, self.rpc, way=way, call=self._number)
        self._over(CANCEL, tell_up=False, tell_down=False)

    def leave_quietly(self) -> None:
        """Its client is gone, and the bridge is not told while the connection is stopped."""
        if self._tag is not None and self._joint is not None:
            self._joint.participants.ended(self._tag)

    def pump(self) -> None:
        """There may be room again."""
        if not self.up and self._begins_at_once and not self._is_down_over and not self._link.is_stalled:
            self._begin()
        for lane in self._lanes.values():
            lane.pump()

    def let_go(self, fault: int) -> None:
        """What this fault holds back goes on."""
        for lane in self._lanes.values():
            lane.let_go(fault)

    # Messages and faults.

    def _message(self, direction: Direction, frame: Frame) -> None:
        if frame.completes:
            self._count_in(direction)
        lane = self._lanes[direction]
        if not self._is_ours or frame.flag or not frame.is_whole:  # compressed, or too large to read
            lane.put(Parcel(frame=frame))
            return
        message = self._read(direction, frame)
        if message.kind == "goodbye":
            for each in self._lanes.values():
                each.hurry()
        message.held_back = lane.holding
        verdict = self._link.proxy.rules.judge(message)
        self._record_faults(verdict, message)
        if verdict.answered is not None:
            self._answer(verdict.answered)
        elif verdict.cut is Cut.BEFORE:
            self._link.cut()
        elif not verdict.copies:
            self._joint_stir()
        else:
            self._pass_on(lane, verdict, frame)

    def _pass_on(self, lane: Lane, verdict: Verdict, frame: Frame) -> None:
        for fault in verdict.stalled_by:
            self._link.stall(fault)
        changed = frame if verdict.data is frame.data else Frame(verdict.data)
        for copy in range(verdict.copies):
            is_last = copy == verdict.copies - 1
            parcel = Parcel(
                frame=changed,
                cuts=is_last and verdict.cut is Cut.AFTER,
                behind=verdict.behind,
                held_by=verdict.behind_by,
                overtakes=verdict.overtakes,
            )
            delay = verdict.delay if not copy else 0
            lane.put(parcel, owner=self.agent, delay=delay, size_delay=verdict.size_delay)
        self._joint_stir()

    def _read(self, direction: Direction, frame: Frame) -> WireMessage:
        """The message as predicates see it; learns from it whose the call is."""
        first, self._firsts[direction] = self._firsts[direction], False
        message = WireMessage(direction, self.rpc, frame.data, first)
        if first and direction is TO_BRIDGE:
            self._asked = message
            self.agent = message.names
            if message.kind in ("register", "handshake") and self.agent:
                self._link.agent = self.agent
        message.agent = self.agent or self._link.agent
        match message.kind:
            case "answer":
                message.asked = self._asked
            case "action_call" if len(self._given) < MOST_ASKED:
                self._given[getattr(message.parsed, "id", "")] = message
            case "action_result":
                message.asked = self._given.pop(getattr(message.parsed, "id", ""), None)
            case "registered":
                self._learn_of_clock(message)
        return message

    def _learn_of_clock(self, message: WireMessage) -> None:
        """The bridge says whether the namespace's clock is a test's."""
        answer = message.parsed
        if isinstance(answer, agent_pb2.AgentRegisterResponse) and answer.virtual_clock:
            self._link.proxy.clocks.joint(self._namespace)

    def _answer(self, status: Status) -> None:
        """Ends it in the bridge's stead."""
        trailers = trailers_of(status) if self._is_answered else answer_of(status)
        self._over_up(CANCEL, tell=True)
        self._lanes[TO_BRIDGE].clear()
        self._lanes[TO_AGENT].put(Parcel(headers=trailers, ends=True))

    # What goes out.

    def may_go_up(self) -> bool:
        """Whether the bridge's side has room."""
        return not self._link.is_stalled and self._link.up_has_room(self.up)

    def go_up(self, parcel: Parcel) -> None:
        """Something leaves for the bridge."""
        if not self.up:
            self._begin()
        if self._is_down_over:
            return
        if parcel.frame is not None:
            self._record(Way.SENT, parcel)
            if self._up_traffic is not None:
                self._up_traffic.sent += parcel.frame.completes
            self._link.up_data(self.up, parcel.frame.wire())
        if parcel.ends:
            if self._is_ours and self.rpc == STREAM:
                self._link.proxy.recorder.half_close(self.who, self.rpc, call=self._number)
            self._link.up_end(self.up)
        self._joint_stir()
        if parcel.cuts:
            self._link.cut()

    def may_go_down(self) -> bool:
        """Whether the client's side has room."""
        return not self._link.is_stalled and self._link.down_has_room(self.down)

    def go_down(self, parcel: Parcel) -> None:
        """Something leaves for the client."""
        if self._is_down_over:
            return
        if parcel.ends:
            self._record_end(parcel.headers)
            self._link.down_end(self.down, parcel.headers)
            self._link.down_reset(self.down, NO_ERROR)  # nothing where the client has ended it as well
            self._over(CANCEL, tell_up=True, tell_down=False)
        elif parcel.headers is not None:
            self._is_answered = True
            self._record_answer_headers(parcel.headers)
            self._link.down_headers(self.down, parcel.headers)
        elif parcel.frame is not None:
            self._record(Way.RECEIVED, parcel)
            self._given_down += parcel.frame.completes
            self._link.down_data(self.down, parcel.frame.wire())
            self._joint_stir()
        if parcel.cuts:
            self._link.cut()

    def _begin(self) -> None:
        """Begins it at the bridge."""
        headers = self._headers
        if self._joint is not None:
            self._up_number, self._up_traffic = self._joint.begin_call(lambda: self._ready(TO_BRIDGE))
            headers = replaced(headers, PARTICIPANT, self._joint.tag(self._up_number).encode())
        try:
            self.up = self._link.up_open(self, headers)
        except h2.exceptions.ProtocolError:
            self._over(REFUSED_STREAM, tell_up=False, tell_down=True)

    # Counts.

    def _count_in(self, direction: Direction) -> None:
        if direction is TO_BRIDGE:
            self.received += 1
        elif self._up_traffic is not None:
            self._up_traffic.received += 1

    def _ready(self, direction: Direction) -> int:
        """Messages that wait for nothing but room; a dead cable is no lack of room."""
        return 0 if self._link.is_stalled else self._lanes[direction].ready

    def _is_free(self, direction: Direction) -> None:
        """Nothing waits for room this way: whoever sends may send more."""
        owed, self._owed[direction] = self._owed[direction], 0
        if direction is TO_BRIDGE:
            self._link.down_taken(self.down, owed)
        else:
            self._link.up_taken(self.up, owed)

    def _joint_stir(self) -> None:
        if self._joint is not None:
            self._joint.stir()

    # Its end.

    def _end_up(self) -> None:
        """The bridge's side of it is over."""
        if self._up_number and self._joint is not None:
            self._joint.end_call(self._up_number)
            self._up_number = 0

    def _over(self, code: int, *, tell_up: bool, tell_down: bool) -> None:
        if self._is_down_over:
            return
        self._is_down_over = True
        for lane in self._lanes.values():
            lane.clear()
        self._link.when_it_goes_on(lambda: self._over_up(code, tell=tell_up))
        if tell_down:
            self._link.down_reset(self.down, code)
        if self._tag is not None and self._joint is not None:
            self._joint.participants.ended(self._tag)
        self._link.forget(self)

    def _over_up(self, code: int, *, tell: bool) -> None:
        """The bridge is told that it is over, where it does not know."""
        if tell and self.up:
            self._link.up_reset(self.up, code)
        self._end_up()

    # The transcript.

    def _record(self, way: Way, parcel: Parcel) -> None:
        frame = parcel.frame
        if not self._is_ours or frame is None or not (frame.is_whole or parcel.breaks_off):
            return
        recorder = self._link.proxy.recorder
        record = recorder.sent if way is Way.SENT else recorder.received
        record(self.who, self.rpc, frame.data, call=self._number)

    def _record_headers(self) -> None:
        """A transcript tells of a call's own metadata where it has some."""
        if self._is_ours and (metadata := metadata_of(self._headers)):
            self._link.proxy.record_headers(self.who, self.rpc, metadata, Way.SENT, self._number)

    def _record_answer_headers(self, headers: Headers) -> None:
        if self._is_ours and self.rpc == STREAM:
            self._link.proxy.record_headers(
                self.who, self.rpc, metadata_of(headers), Way.RECEIVED, self._number, always=True
            )

    def _record_end(self, trailers: Headers | None) -> None:
        if not self._is_ours:
            return
        code, message = status_of(trailers or [])
        if self.rpc == STREAM or code != "OK":
            self._link.proxy.recorder.status(self.who, self.rpc, code, message, call=self._number)

    def _record_faults(self, verdict: Verdict, message: WireMessage) -> None:
        for told in verdict.told:
            self._link.proxy.recorder.fault(
                told.text,
                self.who,
                way=message.direction.way,
                rpc=self.rpc,
                message=message.data,
                call=self._number,
            )


class _Up:
    """The bridge's end of a lane."""

    def __init__(self, call: Call) -> None:
        self.may_leave = call.may_go_up
        self.leave = call.go_up
        self.is_free = functools.partial(call._is_free, TO_BRIDGE)  # noqa: SLF001 - a part of it


class _Down:
    """The client's end of a lane."""

    def __init__(self, call: Call) -> None:
        self.may_leave = call.may_go_down
        self.leave = call.go_down
        self.is_free = functools.partial(call._is_free, TO_AGENT)  # noqa: SLF001 - a part of it
