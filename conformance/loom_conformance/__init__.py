"""The conformance suite: what the protocol means, proved over the wire on any bridge.

    loom conformance --target HOST:PORT

`clauses.toml` says what a bridge must do, one statement at a time. Each module of `checks` tries some of
them, with nothing but generated stubs; `judge` runs them against a bridge, and `report` draws the result.

    clauses, manifest      what must hold, and which checks judge it
    registry, expect       how a check is written, and how it fails
    bench, peer, stream    what a check speaks with: agents on connections of their own
    declared, target       what a bridge says it can do, and how it is reached
    judge, result, known   a run and what came of it
"""

from __future__ import annotations

from loom_conformance import expect
from loom_conformance.bench import Bench
from loom_conformance.registry import Check, check

__all__ = ["Bench", "Check", "check", "expect"]
