"""What `loom dev` prints, and where: the activities on stdout, everything else on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from loom.cli import console
from loom.cli.render import Renderer, duration, summary
from loom_testing.activity import as_json
from loom_testing.engine.trace import decode_step
from loom_testing.totals import Totals
from loom_testing.tracker import Tracker

if TYPE_CHECKING:
    from loom.runtime.programs import Program
    from loom.testing.v1.control_pb2 import WatchResponse

__all__ = ["View"]

NAMES = {"fake": "the fake bridge", "rust": "the Rust bridge", "docker": "the Rust bridge in Docker"}
OVERDUE_US = 3_000_000
"""A call that is open for so long is shown before it ends."""


class View:
    """Turns what a bridge tells into lines.

    Args:
        machine: JSON lines instead of text.
        payloads: whether to show what events and calls carry.
    """

    def __init__(self, *, machine: bool, payloads: bool) -> None:
        self._machine = machine
        self._payloads = payloads
        self._renderer = Renderer(payloads=payloads)
        self._trackers: dict[str, Tracker] = {}
        self._overdue: set[tuple[str, int]] = set()
        self._totals = Totals()

    def started(self, program: Program, address: str, *, found_by_itself: bool) -> None:
        """The bridge listens; agents of this user that name none find it where it is the local one."""
        if self._machine:
            console.json_line({"kind": "bridge.started", "bridge": program.kind, "address": address})
            return
        what, where = click.style("loom dev", bold=True), click.style(address, bold=True)
        console.say(f"{what}  {NAMES[program.kind]} on {where}")
        if program.notice:
            console.say(click.style(f"  {program.notice}", dim=True))
        if found_by_itself:
            console.say("  Agents and commands on this machine that name no bridge find it by themselves.")
        else:
            console.say(f"  In other terminals: export LOOM_BRIDGE_ADDR={address}")
        console.say("  Ctrl-C ends it.")
        console.say()

    def happened(self, response: WatchResponse) -> None:
        """One step of an engine."""
        if response.skipped:
            self.note(f"{response.skipped} steps were left out here: more happened than can be shown")
        tracker = self._trackers.setdefault(response.namespace, Tracker())
        activities = tracker.feed(decode_step(response.line))
        self._totals.add(activities)
        if self._machine:
            for activity in activities:
                line = as_json(activity, payloads=self._payloads)
                console.json_line({"namespace": response.namespace, **line})
            return
        for text in self._renderer.lines(activities, response.namespace):
            console.data(text)

    def still_open(self, now_us: int) -> None:
        """Shows each call that takes long, once."""
        known = self._overdue
        self._overdue = set()
        for namespace, tracker in self._trackers.items():
            for call in tracker.open_calls():
                if now_us - call.at < OVERDUE_US:
                    break
                self._overdue.add((namespace, call.call))
                if (namespace, call.call) not in known and not self._machine:
                    console.data(self._renderer.running(call, now_us, namespace))

    def said(self, name: str, text: str) -> None:
        """A line that an agent's process printed."""
        console.say(f"{click.style(name, fg='bright_black')} {click.style('│', fg='bright_black')} {text}")

    def note(self, text: str) -> None:
        """Something about the run itself."""
        console.say(f"{console.mark('warn')} {text}")

    def stopping(self) -> None:
        """A signal came; a terminal shows ^C without ending its line."""
        if not self._machine and sys.stderr.isatty():
            console.say()

    def ended(self, seconds: float) -> None:
        """Everything has ended."""
        if self._machine:
            console.json_line({"kind": "totals", "seconds": round(seconds, 3), **self._totals.as_json()})
            return
        console.say()
        console.say(f"{console.mark('good')} {duration(int(seconds * 1_000_000))}: {summary(self._totals)}")
