"""What the agents say to each other: topics, names of capabilities, and a model for every payload."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from examples.research.extract import Quote
from examples.research.plan import Aspect, Plan, Related, Statistics

__all__ = [
    "HELLO",
    "PROGRESS",
    "QUESTION",
    "READ_SOURCE",
    "SEARCH",
    "SURVEY",
    "WRITE_REPORT",
    "Answer",
    "Draft",
    "Earlier",
    "Findings",
    "Hello",
    "Loss",
    "Progress",
    "Question",
    "Search",
    "Share",
    "Stage",
    "Survey",
    "Surveyed",
    "Timing",
]

HELLO: Final = "research.hello"  # barrier: is everybody there? answered by Hello
QUESTION: Final = "research.question"  # request: Question -> Answer
SURVEY: Final = "research.survey"  # barrier: Survey -> Surveyed, from every researcher
SEARCH: Final = "research.search"  # barrier: Search -> Findings, from every researcher
PROGRESS: Final = "research.progress"  # Progress, for whoever watches
READ_SOURCE: Final = "source.read"  # capability of every researcher: a passage, read from its source again
WRITE_REPORT: Final = "report.write"  # capability of the writer: Draft -> Answer


Stage = Literal["survey", "search"]


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hello(_Payload):
    """Somebody is there."""

    agent: str
    process: int = Field(description="its process id")


class Question(_Payload):
    """What is to be found out, by whom."""

    text: str = Field(min_length=3, max_length=1000)
    researchers: list[str] = Field(min_length=1, description="the agent ids of the researchers asked")
    out: str = Field(description="the file that the report is to be written to")


class Survey(_Payload):
    """The planner asks what a researcher's share holds."""

    terms: list[str] = Field(description="the stems whose frequency is wanted")
    whole: Aspect


class Share(_Payload):
    """How much a researcher has read."""

    corpus: str = Field(description="what was read, e.g. the documentation of Python 3.12")
    index: int
    count: int
    documents: int
    passages: int
    characters: int
    seconds: float = Field(description="how long reading and indexing took")


class Surveyed(_Payload):
    """A researcher's answer to a survey."""

    share: Share
    statistics: Statistics
    related: list[Related]


class Search(_Payload):
    """The planner asks for the best quotes for each aspect."""

    aspects: list[Aspect]
    statistics: Statistics = Field(description="of the whole corpus, so that scores can be compared")


class Findings(_Payload):
    """A researcher's answer to a search: quotes for each aspect, in the order of the aspects."""

    quotes: list[list[Quote]]
    seconds: float


class Loss(_Payload):
    """A researcher whose part is missing."""

    researcher: str
    stage: Stage
    why: str = Field(description="e.g. did not answer within 5.0 s")


class Earlier(_Payload):
    """A question that was asked before, as the planner remembers it."""

    text: str
    asked: str = Field(description="ISO 8601, UTC")
    report: str
    sources: list[str]


class Timing(_Payload):
    """How long one exchange took."""

    what: Literal["request", "barrier", "call"]
    name: str
    milliseconds: float


class Draft(_Payload):
    """All that the writer needs for a report."""

    plan: Plan
    statistics: Statistics
    findings: list[list[Quote]] = Field(description="for each aspect in the plan's order, of all researchers")
    shares: list[Share]
    losses: list[Loss]
    earlier: list[Earlier]
    asked_before: str = Field(description="when this very question was asked last; empty if never")
    out: str


class Answer(_Payload):
    """The report is written."""

    report: str = Field(description="the file")
    statements: int
    sources: list[str] = Field(description="the names of what is cited, in order")
    gaps: list[str] = Field(description="what the report cannot tell")
    losses: list[Loss] = []
    timings: list[Timing] = Field(default=[], description="of the exchanges that it took")


class Progress(_Payload):
    """What an agent is doing, for whoever watches."""

    agent: str
    text: str
