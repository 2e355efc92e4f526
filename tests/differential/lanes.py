"""The lanes, ready to play: what each needs is found or started when it is first used, and ended with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.differential.campaign import Campaign, Outcome
from tests.differential.divergence import Divergence
from tests.differential.engine_lane import EngineLane, EngineMachine
from tests.differential.grpc_lane import GrpcLane
from tests.differential.grpc_machine import MESSAGE_BYTES, GrpcMachine
from tests.differential.kept import play
from tests.differential.machine import BridgeMachine, Lane
from tests.differential.operations import Case
from tests.differential.processes import Processes, fake_command, rust_command
from tests.differential.reference import RacyError
from tests.differential.rust import RustPipe, find_binary
from tests.differential.smaller import make_smaller

__all__ = ["SHRINK_S", "Open", "find", "open_lane"]

SHRINK_S = 20.0
"""How long Hypothesis shrinks a difference, and how long its case is made smaller after that."""


@dataclass(frozen=True, slots=True)
class Open:
    """A lane that can play.

    Attributes:
        lane: it.
        machine: what may happen on it.
        cases: how many cases a round has at the most.
        steps: how many steps a case has.
    """

    lane: Lane
    machine: type[BridgeMachine]
    cases: int
    steps: int

    def shows(self, case: Case) -> Divergence | None:
        """Plays a case; the difference that it shows."""
        try:
            play(case, self.lane)
        except Divergence as divergence:
            return divergence
        except RacyError:  # what is left of a case that is being made smaller need not make sense
            return None
        return None


@contextmanager
def open_lane(name: str, fake: str = "", rust: str = "") -> Iterator[Open]:
    """A lane, for as long as it is needed.

    Args:
        name: which.
        fake: what to run as the fake; by default this project's.
        rust: what to run as the Rust bridge; by default this project's.

    Raises:
        NoEngineError: there is no Rust engine.
        LoomError: there is no Rust bridge.
        NoBridgeError: a bridge does not come up.
    """
    if name == "engine":
        pipe = RustPipe(find_binary())
        try:
            yield Open(EngineLane(pipe), EngineMachine, cases=100, steps=100)
        finally:
            pipe.close()
        return
    commands = {"fake": fake_command(fake), "rust": rust_command(rust)}
    processes = Processes(commands, {"message_bytes": MESSAGE_BYTES})
    try:
        lane = GrpcLane(processes)
        try:
            yield Open(lane, GrpcMachine, cases=40, steps=50)
        finally:
            lane.close()
    finally:
        processes.close()


def find(opened: Open, campaign: Campaign, shrink_s: float = SHRINK_S) -> Outcome:
    """Runs a campaign; what it found is made small."""
    outcome = campaign.run()
    if outcome.divergence is not None:
        again = opened.shows(outcome.divergence.case)
        outcome.is_steady = again is not None
        if again is not None:
            outcome.divergence = make_smaller(again, opened.shows, shrink_s)
    return outcome
