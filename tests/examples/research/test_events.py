"""Payloads cross the wire unchanged, with the dataclasses in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from examples.research.corpus import Library
from examples.research.events import Draft, Findings, Search, Share, Survey, Surveyed
from examples.research.extract import quote
from examples.research.plan import plan
from examples.research.search import Index


def test_what_is_said_in_a_run_is_read_as_it_was_written(manual: Path):
    index = Index(Library.load(manual).passages)
    planned = plan("How does the kiln cool?")
    statistics = index.statistics(planned.terms)
    quotes = [
        one
        for hit in index.search(planned.whole, statistics)
        if (one := quote(hit, planned.whole, statistics))
    ]
    share = Share(corpus="x", index=1, count=1, documents=4, passages=7, characters=900, seconds=0.1)
    survey = Survey(terms=planned.terms, whole=planned.whole)
    surveyed = Surveyed(share=share, statistics=statistics, related=index.related(planned.whole))
    search = Search(aspects=list(planned.in_order), statistics=statistics)
    findings = Findings(quotes=[quotes], seconds=0.1)
    draft = Draft(
        plan=planned,
        statistics=statistics,
        findings=[quotes],
        shares=[share],
        losses=[],
        earlier=[],
        asked_before="",
        out="a.md",
    )
    assert quotes
    for said in (survey, surveyed, search, findings, draft):
        assert type(said).model_validate_json(said.model_dump_json()) == said


def test_what_nobody_knows_is_refused():
    with pytest.raises(ValidationError, match="extra"):
        Findings.model_validate({"quotes": [], "seconds": 0.1, "mood": "good"})
