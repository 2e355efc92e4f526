"""Replaying a transcript against an agent."""

from __future__ import annotations

from loom_testing.transcript.replay.difference import ReplayError
from loom_testing.transcript.replay.replaying import Replayed, replay

__all__ = ["ReplayError", "Replayed", "replay"]
