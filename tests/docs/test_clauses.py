"""The protocol's pages are made from the clauses: every area has its page, and each clause its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs._ext.clauses import PAGES
from loom_conformance.clauses import AREAS

PROTOCOL = Path(__file__).resolve().parents[2] / "docs" / "protocol"


@pytest.mark.parametrize("area", AREAS)
def test_every_area_has_its_page(area: str):
    assert f"```{{clauses}} {area}\n" in (PROTOCOL / f"{PAGES[area]}.md").read_text(encoding="utf-8")


def test_the_index_leads_to_every_page():
    index = (PROTOCOL / "clauses.md").read_text(encoding="utf-8")
    assert "```{clause-index}" in index
    assert [line for line in index.splitlines() if line in PAGES.values()] == list(PAGES.values())
