"""Earlier questions."""

from __future__ import annotations

from examples.research.events import Earlier
from examples.research.recall import alike, is_same


def earlier(text: str, report: str = "a.md") -> Earlier:
    return Earlier(text=text, asked="2026-01-01T00:00:00+00:00", report=report, sources=["a.x"])


def test_a_question_is_the_same_in_other_words_order():
    assert is_same("How do I run a subprocess?", "running subprocesses")
    assert not is_same("How do I run a subprocess?", "How do I stop a subprocess?")


def test_those_that_share_words_are_recalled_the_closest_first():
    known = [
        earlier("How do I copy a folder?"),
        earlier("How do I stop a thread?"),
        earlier("Start a thread pool?"),
    ]
    found = alike("How do I start a thread?", known)
    assert [one.text for one in found] == ["Start a thread pool?", "How do I stop a thread?"]


def test_of_the_same_question_the_newest_is_recalled():
    known = [earlier("Stop a thread?", "old.md"), earlier("How do I stop a thread?", "new.md")]
    assert [one.report for one in alike("stop threads", known)] == ["new.md"]
