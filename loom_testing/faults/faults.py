"""`Faults`: what a test writes to have something go wrong."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from loom_testing.faults import effects
from loom_testing.faults.errors import FaultError
from loom_testing.faults.fault import Fault
from loom_testing.faults.message import KINDS, ONLY_ANSWERS, TO_AGENT, WireMessage, kinds_of
from loom_testing.faults.script import Script, read_script
from loom_testing.faults.which import Which
from loom_testing.transcript.wire import METHODS

if TYPE_CHECKING:
    from pathlib import Path

    from loom_testing.faults.effects import Effect
    from loom_testing.faults.rules import Rules

__all__ = ["About", "Faults"]

NEW_CONNECTIONS = ("register", "handshake")
NEW_RPCS = ("RegisterAgent", "EventStream")
NOT_OF_THE_NEW = ("topic", "type", "capability")
"""What tells messages apart that are none of theirs."""
NOT_OF_A_LINK = (*NOT_OF_THE_NEW, "nth", "where")


class About(TypedDict, total=False):
    """Which messages a fault is about, and how often it fires; the names are those of `Which` and `Fault`."""

    agent: str
    direction: str
    kind: str
    topic: str
    type: str
    capability: str
    rpc: str
    nth: int
    where: Callable[[WireMessage], object]
    times: int
    probability: float
    optional: bool


class Faults:
    """Faults in front of a bridge, message by message.

        with loom_bridge.faults.drop(type="reply", times=1):
            ...

    Every method makes a `Fault`, which is in force inside its `with`. They all take which messages they are
    about (see `Which`), and:

        times         how often it fires at the most; always, unless given
        probability   how likely it fires at each message that fits; drawn from the seed
        optional      whether it may end without having fired, which fails the test otherwise

    Several that fit one message have their say in the order in which they came into force. What a method
    takes besides may be given by its place or by its name: `delay(2)`, `delay(seconds=2)`.

    Args:
        rules: where they are in force.
        noted: whether the rules note each that is made, to tell of one that never begins.
    """

    def __init__(self, rules: Rules, *, noted: bool = True) -> None:
        self.rules = rules
        self.noted = noted

    @property
    def seed(self) -> int:
        """Where the chance of `probability` and `corrupt` comes from."""
        return self.rules.chance.seed

    def drop(self, **about: Unpack[About]) -> Fault:
        """The message never arrives, and nobody is told.

        Raises:
            FaultError: nothing can fit that.
        """
        return self._fault("drop", effects.Drop(), about)

    def delay(self, seconds: float, **about: Unpack[About]) -> Fault:
        """The message arrives so many seconds later, by the namespace's clock, and what is behind it too.

        Raises:
            FaultError: nothing can fit that.
        """
        return self._fault("delay", effects.Delay(seconds), about, f"{seconds:g}")

    def duplicate(self, copies: int = 1, **about: Unpack[About]) -> Fault:
        """The message arrives once more, or so many times more.

        What answers a call by itself (`registered`, `answer`, …) is not meant: gRPC takes that once.

        Raises:
            FaultError: nothing can fit that.
        """
        _check_repeatable(about)
        return self._fault("duplicate", effects.Duplicate(copies), about)

    def reorder(self, by: int = 1, **about: Unpack[About]) -> Fault:
        """The next message of the same call and direction that fits, too, overtakes it, or the next so many.

        What overtakes another is not held back itself: of all that fit, every second arrives first. What
        nothing overtakes arrives when the fault ends.

        Raises:
            FaultError: nothing can fit that.
        """
        return self._fault("reorder", effects.Reorder(by), about)

    def corrupt(self, how: str | Callable[[bytes], bytes] = "flip", **about: Unpack[About]) -> Fault:
        """The message arrives with other bytes.

        Args:
            how: `flip` (one bit), `truncate` (the end is missing), `garbage` (bytes that are no message), or
                a function from the message's bytes to others.
            about: see the class.

        Raises:
            FaultError: nothing can fit that.
        """
        return self._fault("corrupt", effects.Corrupt(how), about)

    def disconnect(self, when: str = "before", **about: Unpack[About]) -> Fault:
        """The connection is lost, with the message (`when="before"` it arrives) or right after it.

        Without anything that says which message, every connection (of the agent, where one is named) is lost
        at once.

        Raises:
            FaultError: nothing can fit that.
        """
        return self._fault("disconnect", effects.Disconnect(when), about, once=True)

    def stall(self, **about: Unpack[About]) -> Fault:
        """From the message on nothing crosses its connection, either way, and nobody is told: a dead cable.

        Without anything that says which message, that is so at once. When the fault ends the connection goes
        on, unless somebody has given it up.

        Raises:
            FaultError: nothing can fit that.
        """
        return self._fault("stall", effects.Stall(), about)

    def slow(self, bytes_per_second: float, **about: Unpack[About]) -> Fault:
        """A slow link: each direction of a call passes so many bytes in a second of the namespace's clock.

        A link is slow for all that crosses it, so it takes `agent`, `direction`, `kind` and `rpc`, and
        names no messages by what they hold.

        Raises:
            FaultError: nothing can fit that.
        """
        _check_names(
            "slow",
            about,
            NOT_OF_A_LINK,
            "a link is slow for all that crosses it; delay() is about single messages",
        )
        return self._fault("slow", effects.Slow(bytes_per_second), about)

    def refuse(self, message: str = "the bridge is not there", **about: Unpack[About]) -> Fault:
        """Nobody gets in: registrations and handshakes end with UNAVAILABLE. Who is in, stays in.

        Raises:
            FaultError: nothing can fit that.
        """
        effect = effects.Fail("UNAVAILABLE", message, "refused")
        _check_way("refuse", about)
        where = about.get("where")
        if not about.get("kind"):
            _check_names(
                "refuse", about, NOT_OF_THE_NEW, "who wants to get in says none; fail() is about others"
            )
            if about.get("rpc", NEW_RPCS[0]) not in NEW_RPCS:
                raise FaultError(f"refuse is about {' and '.join(NEW_RPCS)}: leave rpc out, or use fail()")
            about["where"] = is_new if where is None else _both(is_new, where)
        return self._fault("refuse", effect, about)

    def fail(
        self,
        status: str = "UNAVAILABLE",
        message: str = "a fault was injected",
        **about: Unpack[About],
    ) -> Fault:
        """The call ends with a gRPC status, and the bridge never sees the message.

        `times=3` fails the first three.

        Raises:
            FaultError: there is no such status, or nothing can fit that.
        """
        _check_way("fail", about)
        about.setdefault("direction", "to_bridge")
        return self._fault("fail", effects.Fail(status, message), about, f"'{status}'")

    def script(self, source: str | Path | dict[str, Any], /) -> Script:
        """The faults of a file, as `loom-testing proxy --faults` takes it; in force inside its `with`.

        Args:
            source: the file, or what it holds.

        Raises:
            FaultError: it cannot be read, or a fault in it cannot be.
        """
        return read_script(self, source)

    def _fault(self, name: str, effect: Effect, about: About, *words: str, once: bool = False) -> Fault:
        given: dict[str, Any] = dict(about)
        _check_given(given)
        limits = {key: given.pop(key) for key in ("times", "probability", "optional") if key in given}
        unknown = sorted(set(given) - set(About.__annotations__))
        if unknown:
            known = ", ".join(About.__annotations__)
            raise FaultError(f"{name}({unknown[0]}=...): a fault has no {unknown[0]!r}, but {known}")
        which = Which(**given)
        if once and not which.names_messages:
            limits.setdefault("times", 1)
        if limits.get("times") == 0:
            raise FaultError(f"{name}(times=0) never fires: give a number from 1 on, or leave it out")
        fault = Fault(self.rules, name, which, effect, words=words, **limits)
        if self.noted:
            self.rules.note(fault)
        return fault


def is_new(message: WireMessage) -> bool:
    """Whether somebody wants to get in."""
    return message.kind in NEW_CONNECTIONS


def _both(
    one: Callable[[WireMessage], object], other: Callable[[WireMessage], object]
) -> Callable[[WireMessage], object]:
    @functools.wraps(other)
    def both(message: WireMessage) -> object:
        return one(message) and other(message)

    return both


def _check_repeatable(about: About) -> None:
    """Refuses a second answer where gRPC takes one.

    Raises:
        FaultError: it is about such an answer.
    """
    kind, rpc = about.get("kind", ""), about.get("rpc", "")
    to_agents = about.get("direction") == TO_AGENT or kind in ONLY_ANSWERS
    meant = {kind} if kind else kinds_of(rpc, TO_AGENT) if rpc in METHODS else set()
    if to_agents and meant and meant <= ONLY_ANSWERS and rpc != "ForwardActionStream":
        given = f"kind={kind!r}" if kind else f"rpc={rpc!r}, direction='to_agent'"
        raise FaultError(
            f"duplicate({given}): that is the one answer of its call, and gRPC takes no second; "
            "duplicate what goes over an agent's stream, such as kind='action_result' or kind='action_call'"
        )


def _check_given(given: dict[str, Any]) -> None:
    """Refuses what would count as not given, though it was.

    Raises:
        FaultError: something is empty, or no message has that number.
    """
    for name, value in given.items():
        if value == "":
            raise FaultError(f"{name}='': say which, or leave it out")
        if name == "nth" and not value:
            raise FaultError(f"nth={value!r}: give a number from 1 on, or leave it out")


def _check_names(name: str, about: About, wrong: tuple[str, ...], why: str) -> None:
    """Refuses to tell messages apart where there is nothing to tell.

    Raises:
        FaultError: something does.
    """
    for given in wrong:
        if given in about:
            raise FaultError(f"{name}({given}=...): {why}; leave {given} out")


def _check_way(name: str, about: About) -> None:
    """Refuses what goes to agents: a call can only be ended in the bridge's stead on its way there.

    Raises:
        FaultError: it does.
    """
    kind = about.get("kind", "")
    if about.get("direction") == "to_agent" or KINDS.get(kind) is TO_AGENT:
        wrong = f"kind={kind!r} goes to agents" if kind else "leave out direction"
        raise FaultError(f"{name} is about what goes to the bridge: {wrong}; drop answers instead")
