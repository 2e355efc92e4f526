"""The report: numbered sources, honest gaps, Markdown that shows what was written."""

from __future__ import annotations

import re

import pytest

from examples.research.extract import Quote, Selection
from examples.research.narrator import Extractive, uncited
from examples.research.passage import Kind, Passage
from examples.research.report import Colophon, Gap, Sources, escape, gaps, render, sections


def quote(
    source: str, *runs: str, kind: Kind = "docstring", example: str = "", coverage: float = 1.0
) -> Quote:
    passage = Passage(
        f"x:{source}#1", source, "Heading", f"{source}, lines 1-9", "(a, b)", " ".join(runs), kind
    )
    return Quote(passage, runs, example, 1.0, coverage)


COLOPHON = Colophon("From 3 passages.", ("Told by: quotes.",), ("Before? (2026-01-01): old.md",))


async def report(
    chosen: list[Selection], holes: list[Gap] | None = None, more: list[Quote] | None = None
) -> str:
    sources = Sources()
    numbered = sections(chosen, sources)
    told = [(one, await Extractive().tell("Why?", one.title, one.statements)) for one in numbered]
    return render("Why?", told, more or [], holes or [], sources, COLOPHON)


async def test_every_statement_cites_a_source_that_is_listed():
    chosen = [
        Selection("In short", (quote("a.x", "One."), quote("a.y", "Two.", example=">>> y()\n2"))),
        Selection("more of it", (quote("a.x", "Three."),)),
    ]
    text = await report(chosen, more=[quote("a.z", "Four."), quote("a.x", "One.")])
    cited = {int(number) for number in re.findall(r"(?<!\d)\[(\d+)\]", text)}
    listed = {int(number) for number in re.findall(r"^(\d+)\. `", text, re.MULTILINE)}
    assert cited == listed == {1, 2, 3}
    assert "**`a.x(a, b)`** [1]\n\nOne. [1]" in text
    assert "```pycon\n>>> y()\n2\n```" in text
    assert "## More of it\n\n**`a.x(a, b)`** [1]\n\nThree. [1]" in text
    assert "## Read on\n\n- `a.z`: Four. [3]" in text
    assert "1. `a.x`: a.x, lines 1-9" in text


async def test_an_aspect_that_repeats_points_to_what_was_said_above():
    one = quote("a.x", "One.")
    text = await report([Selection("In short", (one,)), Selection("Lid", (), repeated=(one,))])
    assert "## Lid\n\nSaid above: [1]." in text


async def test_running_text_is_told_under_its_heading():
    text = await report([Selection("In short", (quote("guide.md", "It *is* so.", kind="text"),))])
    assert "**Heading** [1]\n\nIt *is* so. [1]" in text
    assert "1. guide.md, Heading: guide.md, lines 1-9" in text


async def test_what_is_serious_is_said_first_and_everything_missing_in_its_place():
    holes = [Gap("researcher-2 failed.", is_serious=True), Gap("Nothing about lids.")]
    text = await report([Selection("In short", (quote("a.x", "One."),))], holes)
    assert text.index("> **Mind:** researcher-2 failed.") < text.index("## In short")
    assert "## What was not found\n\n- researcher-2 failed.\n- Nothing about lids." in text


async def test_a_report_without_gaps_says_so_and_how_it_was_made():
    text = await report([Selection("In short", (quote("a.x", "One."),))])
    assert text.startswith("# Why?\n\n*From 3 passages. Every statement is quoted word for word;")
    assert "## What was not found\n\nEvery part of the question was found." in text
    assert text.endswith("- Told by: quotes.\n\n### Asked before\n\n- Before? (2026-01-01): old.md\n")


def test_gaps_name_what_is_missing():
    weak, none = quote("a.x", "One.", coverage=0.4), Selection("Lid", ())
    found = gaps(
        [Selection("In short", (quote("a.y", "Two."),)), Selection("Vents", (weak,)), none],
        ["kubernetes"],
        [],
    )
    assert [gap.what for gap in found] == [
        'The word "kubernetes" stands nowhere in what was searched.',
        'Little was found about "Vents": no passage holds all of its words.',
        'Nothing was found about "Lid".',
    ]
    assert not any(gap.is_serious for gap in found)


def test_a_lost_researcher_and_an_answer_far_off_are_serious():
    weak = Selection("In short", (quote("a.x", "One.", coverage=0.3),))
    assert [gap.is_serious for gap in gaps([weak], [], ["researcher-1 did not answer."])] == [True, True]
    assert (
        gaps([Selection("In short", ())], [], [])[-1].what
        == "Nothing that was searched speaks of this question."
    )


def test_a_comparison_says_when_nothing_speaks_of_both():
    sides = [Selection("list", (quote("a.x", "One."),)), Selection("tuple", (quote("a.y", "Two."),))]
    both = Selection("Both together", (quote("a.z", "Three.", coverage=0.5),))
    found = gaps([*sides, both], [], [], is_comparison=True)
    assert [gap.what for gap in found] == [
        "No passage was found that speaks of both together; compare what is said of each."
    ]


@pytest.mark.parametrize(
    ("written", "markdown"),
    [
        ('the "__exit__()" method', 'the "\\_\\_exit\\_\\_()" method'),
        ("a *descriptor* class", "a *descriptor* class"),
        ("**PEP 343** - with", "**PEP 343** - with"),
        ("takes *args and **kwargs", "takes \\*args and \\*\\*kwargs"),
        ("see ``json_load`` of <fp>", "see ``json_load`` of \\<fp>"),
        ("[1] # no heading | no table", "\\[1\\] \\# no heading \\| no table"),
    ],
)
def test_what_is_not_meant_as_markdown_is_shown_as_written(written: str, markdown: str):
    assert escape(written) == markdown


async def test_a_list_is_a_list_in_markdown():
    text = await report([Selection("In short", (quote("a.x", "Args:\nname: a name.\nsize: a size."),))])
    assert "Args:\n- name: a name.\n- size: a size. [1]" in text


def test_a_narrators_paragraph_without_a_known_source_is_noticed():
    statements = sections([Selection("In short", (quote("a.x", "One."),))], Sources())[0].statements
    assert uncited("It is one [1].\n\n```\ncode\n```", statements) == []
    assert uncited("It is one [1].\n\nAnd two.", statements) == ["And two."]
    assert uncited("It is one [7].", statements) == ["It is one [7]."]
