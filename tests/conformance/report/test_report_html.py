"""The page: whole, well-formed, needing nothing from outside, with what is wrong first."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from loom_conformance.conclude import DIED
from loom_conformance.report import html
from loom_conformance.result import Outcome, Problem
from tests.conformance.made import aside, bad, clause, concluded, failed, good, passed

VOID = {"meta", "br", "img", "rect", "path", "line", "circle", "use"}


class Page(HTMLParser):
    """Checks that elements are closed in order, and keeps ids, links and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.ids.append(given["id"] or "")
        if tag == "a":
            self.links.append(given.get("href") or "")
        assert not {"src", "onload", "onclick"} & set(given)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += f"{data} "


@pytest.mark.parametrize("result", [good(), bad(), concluded([], [])], ids=["good", "bad", "nothing"])
def test_the_page_is_whole_and_its_links_lead_somewhere(result):
    drawn = html.draw(result)
    page = Page(drawn)
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert "<script" not in drawn
    assert not re.search(r"url\(|@import|<link", drawn)
    assert "prefers-color-scheme: dark" in drawn
    assert 'name="viewport"' in drawn


def test_what_is_wrong_comes_first_with_all_that_is_needed():
    page = Page(html.draw(bad()))
    words = " ".join(page.text.split())
    for part in (
        "my-bridge 2.0 does not conform to the Loom bridge protocol",
        "5 clauses of the protocol apply to this bridge, and it keeps 1 of them. 2 clauses are to be mended.",
        "1 failure is known. The run itself has 1 problem.",
        "What PUB-1.1 says, with code in it. Why PUB-1.1 is there.",
        "Tried: What twice tries.",
        "Looked at: the deliveries",
        "Expected 1 <event> Got 2 <events>",
        "What crossed the wire",
        "orders.new",
        "KeyError: 'x'",
        "Where the check went wrong Traceback …",
        "Known failures",
        "It is old.",
    ):
        assert part in words, part
    assert words.index("What is to be mended") < words.index("All clauses") < words.index("About this run")
    assert "<svg" in html.draw(bad())


def test_every_clause_stands_in_its_area_and_can_be_linked():
    result = bad()
    page = Page(html.draw(result))
    assert {one.clause.lower() for one in result.clauses} <= set(page.ids)
    assert {"area-hb", "area-pub", "mend-pub-1.1", "mend-pub-3.1"} <= set(page.ids)


def test_areas_that_have_something_to_mend_are_open():
    drawn = html.draw(bad())
    assert 'id="area-pub" open>' in drawn
    assert 'id="area-hb">' in drawn


def test_a_good_page_has_nothing_to_mend():
    words = Page(html.draw(good())).text
    assert "mended" not in words
    assert "Problems of the run" not in words


def test_a_clause_that_cannot_be_tested_says_why():
    results = [passed("a"), aside("b", "PUB-1.2", Outcome.NOT_TESTABLE)]
    words = Page(html.draw(concluded([clause(), clause("PUB-1.2")], results))).text
    assert "why b did not run" in words


def test_what_a_bridge_says_stays_text():
    evil = "<script>alert(1)</script>"
    drawn = html.draw(concluded([clause()], [failed("a", what=evil, expected=evil, got=evil, summary=evil)]))
    assert "<script>" not in drawn
    assert "&lt;script&gt;" in drawn


def test_a_bridge_that_died_is_told_in_the_head():
    died = replace(
        bad(), problems=[Problem(kind=DIED, subject="fake", text="while it was judged, the bridge died")]
    )
    drawn = html.draw(died)
    assert drawn.index("While it was judged, the bridge died") < drawn.index("What is to be mended")
    assert 'class="alarm"' not in html.draw(bad())
