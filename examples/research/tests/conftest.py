"""What the tests share: the agents in this process, a small corpus, and a question to them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from examples.research import planner, writer
from examples.research.events import QUESTION, Answer, Question
from examples.research.researcher import Researcher
from loom import Agent, LocalMemory
from loom_testing import Probe

TEXT = """
# Cooling

Let the kiln cool to 80 degrees before the lid is opened. Opening the lid too early cracks the glaze.
"""
ASKED = "How does the kiln cool?"


@dataclass
class Trio:
    """The three agents, and where the report goes."""

    planner: Agent
    researcher: Agent
    writer: Agent
    report: Path

    @property
    def everybody(self) -> tuple[Agent, Agent, Agent]:
        """All three."""
        return self.planner, self.researcher, self.writer

    async def ask(self, probe: Probe, *researchers: str, timeout: float = 60) -> Answer:
        """Has the question answered by the researchers named, else by the trio's own."""
        question = Question(text=ASKED, researchers=[*researchers] or ["researcher"], out=str(self.report))
        answer: Answer = await probe.request(QUESTION, question, timeout=timeout, into=Answer)
        return answer


@pytest.fixture
def trio(tmp_path: Path) -> Trio:
    """The agents, with a corpus of one page and nothing remembered."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "kiln.md").write_text(TEXT, "utf-8")
    return Trio(
        planner=planner.new(LocalMemory()),
        researcher=Researcher("researcher", corpus).agent,
        writer=writer.agent,
        report=tmp_path / "report.md",
    )
