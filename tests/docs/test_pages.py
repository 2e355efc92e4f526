"""Every page a reader sees works as it stands: its code, its commands, its links between files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.story import Story, blocks

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")),
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts),
]
LINK = re.compile(r"\]\((?!https?://|#)(?P<target>[^)#\s]+)(?:#[^)]*)?\)")
ID = re.compile(r"[^a-z]+")


def name_of(page: Path) -> str:
    return ID.sub("-", str(page.relative_to(ROOT)).lower())


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_a_page_shows_works(page: Path, tmp_path: Path):
    Story(page, tmp_path).follow()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_links_to_what_is_there(page: Path):
    text = page.read_text(encoding="utf-8")
    missing = [m["target"] for m in LINK.finditer(text) if not (page.parent / m["target"]).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_skips_nothing_without_a_reason(page: Path):
    skipped = [block for block in blocks(page.read_text(encoding="utf-8")) if block.how.startswith("skip")]
    assert all(re.fullmatch(r"skip, .{10,}", block.how) for block in skipped)


def test_there_is_something_to_follow():
    assert len(PAGES) > 10
    assert sum(len(blocks(page.read_text(encoding="utf-8"))) for page in PAGES) > 20
