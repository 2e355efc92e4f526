"""Faults, message by message: what they are about, what they do, and when they fire.

Nothing here sends or receives. `Rules.judge` says what becomes of a message; the proxy
(`loom_testing.proxy`) does it.
"""

from __future__ import annotations

from loom_testing.faults.errors import FaultError, UnfiredError
from loom_testing.faults.fault import Fault
from loom_testing.faults.faults import Faults
from loom_testing.faults.message import KINDS, Direction, WireMessage
from loom_testing.faults.rules import Rules
from loom_testing.faults.script import Script
from loom_testing.faults.which import Which

__all__ = [
    "KINDS",
    "Direction",
    "Fault",
    "FaultError",
    "Faults",
    "Rules",
    "Script",
    "UnfiredError",
    "Which",
    "WireMessage",
]
