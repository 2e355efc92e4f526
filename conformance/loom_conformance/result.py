"""What one run found, as data: the JSON result, from which every report is drawn.

`result.schema.json` beside this file is the published schema; `document.py` writes it from these classes.

    RunResult
      versions, target, asked      what was judged, by what, and how much of it was asked for
      clauses: [ClauseResult]      one for each clause that was asked for
      checks: [CheckResult]        one for each check that ran or was set aside
      problems: [Problem]          why the run itself cannot be trusted, or breaks its own lists
      emitted                      what should have been judged against what was
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import Any

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

__all__ = [
    "FORMAT",
    "Asked",
    "CheckResult",
    "ClauseResult",
    "Emitted",
    "Known",
    "Outcome",
    "Problem",
    "RunResult",
    "Target",
    "Verdict",
    "Versions",
]

FORMAT = 1
"""The version of the JSON result. It grows when a reader of the former one would go wrong."""

_DATA = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Outcome(StrEnum):
    """How a check, or a clause, came out."""

    PASSED = "passed"
    FAILED = "failed"
    """What the bridge did breaks the clause."""
    ERROR = "error"
    """The check could not be carried through, or judged nothing. Only checks; their clause has failed."""
    NOT_APPLICABLE = "not applicable"
    """The bridge does not declare the feature."""
    NOT_TESTABLE = "not testable"
    """The feature is declared, but what the check needs cannot be had on this bridge."""
    PLANNED = "planned"
    """The clause's feature is not built yet: listed, not judged. Only clauses."""


class Verdict(StrEnum):
    """What the run says of the bridge."""

    CONFORMS = "conforms"
    FAILS = "does not conform"
    UNTESTED = "could not test"


@dataclass(frozen=True, slots=True, kw_only=True, config=_DATA)
class Known:
    """An entry of a list of known failures, or of known flaky checks, that holds for a result."""

    list: str
    """`failure` or `flaky`."""
    entry: str
    """What the entry names: a clause or a check."""
    reason: str
    """Why it is so."""
    link: str
    """Where it is followed up."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_DATA)
class CheckResult:
    """What one check found on this bridge."""

    check: str
    """The check's name, as `two_patterns_give_one_delivery`."""
    clause: str
    """The clause that it judges."""
    outcome: Outcome
    """How it came out."""
    summary: str = ""
    """What is tried, in one sentence."""
    seconds: float = 0.0
    """How long it took."""
    expectations: int = 0
    """How many expectations it put to the bridge; a check that put none judged nothing."""
    message: str = ""
    """Why it did not pass, in one line a stranger understands. Empty where it passed."""
    what: str = ""
    """What was looked at, where it failed."""
    expected: str = ""
    """What was to be. May have several lines."""
    got: str = ""
    """What was."""
    traceback: str = ""
    """Where the check itself went wrong; only of an error."""
    transcript: list[dict[str, Any]] | None = None
    """What crossed the wire: the lines of a transcript, header first. Only of a check that did not pass."""
    known: Known | None = None
    """The entry of a known list that speaks of this check, if any."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_DATA)
class ClauseResult:
    """What the run says of one clause. It holds the clause's own words, so that reports need nothing else."""

    clause: str
    """Its id, as `PUB-1.2`."""
    area: str
    """Its area, as `PUB`."""
    level: str
    """MUST, SHOULD or MAY."""
    since: int
    """The version of the protocol that brought it."""
    feature: str
    """What a bridge must declare for it to apply; empty at the base level."""
    text: str
    """What it demands."""
    reason: str
    """Why."""
    outcome: Outcome
    """How it came out."""
    why: str = ""
    """Why it came out so, where that is not plain: which feature is undeclared, what is missing."""
    checks: list[str] = field(default_factory=list)
    """The checks that judge it, by name."""
    known: Known | None = None
    """The entry of a known list that speaks of this clause, if any."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_DATA)
class Problem:
    """Something that makes the run fail besides the bridge's own breaches."""

    kind: str
    """Which rule is broken, as `clause without a check`."""
    subject: str
    """What it is about: a clause, a check, an entry of a list. May be empty."""
    text: str
    """What happened and what to do, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_DATA)
class Versions:
    """Who spoke with whom."""

    suite: str
    """The version of the suite: that of loom-py."""
    protocol: str
    """The version of the protocol whose clauses were judged."""
    python: str = ""
    """Of the suite's own Python."""
    grpc: str = ""
    """Of the suite's own grpcio."""
    bridge_name: str = ""
    """What the bridge calls itself; empty where it does not say."""
    bridge: str = ""
    """The bridge's version; empty where it does not say."""
    bridge_protocol: str = ""
    """The version of the protocol that the bridge says it speaks; empty where it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_DATA)
class Target:
    """The bridge that was judged."""

    asked: str
    """As it was named: fake, rust, docker, an address or a command."""
    kind: str
    """fake, rust, docker, address or command."""
    address: str
    """Where it was reached."""
    features: list[str] = field(default_factory=list)
    """What it declares, and what it shows otherwise (control, namespaces, process)."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_DATA)
class Asked:
    """How much was asked for."""

    profile: str = "full"
    """What was demanded: base (the base level; more is judged where it is declared) or full (all of it)."""
    level: str = "MAY"
    """The weakest level that was judged: MUST, SHOULD or MAY."""
    select: list[str] = field(default_factory=list)
    """The areas, groups and clauses that were selected; empty: all."""
    jobs: int = 1
    """How many checks ran side by side."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_DATA)
class Emitted:
    """What should have been judged, against what was."""

    expected: int
    """Clauses whose result the run owed."""
    emitted: int
    """Clauses whose result came."""
    missing: list[str] = field(default_factory=list)
    """Those whose result did not come; each is a problem."""
    judged: int = 0
    """Clauses that passed or failed: what the run really says something about."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_DATA)
class RunResult:
    """One run of the suite on one bridge."""

    format: int
    """The version of this document."""
    verdict: Verdict
    """What the run says of the bridge."""
    summary: str
    """The verdict in one line, as `full 143/143`."""
    versions: Versions
    """Who spoke with whom."""
    target: Target
    """The bridge."""
    asked: Asked
    """How much was asked for."""
    began: str
    """When it began, ISO 8601 in UTC."""
    seconds: float
    """How long it took."""
    emitted: Emitted
    """What should have been judged, against what was."""
    clauses: list[ClauseResult]
    """One for each clause that was asked for, in the registry's order."""
    checks: list[CheckResult]
    """One for each check, in the registry's order of clauses."""
    problems: list[Problem] = field(default_factory=list)
    """Why the run fails besides the bridge's own breaches."""
