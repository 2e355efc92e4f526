"""Every page a reader sees works as it stands: its code, its commands, its links between files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docs.story import Story, blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")),
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts),
]
ON_EVERY_BRIDGE = {ROOT / "docs" / "tutorial.md"}
"""Pages that are followed on each kind of bridge, elsewhere."""
LINK = re.compile(r"\]\((?!https?://|#)(?P<target>[^)#\s]+)(?:#[^)]*)?\)")
ID = re.compile(r"[^a-z]+")


def name_of(page: Path) -> str:
    return ID.sub("-", str(page.relative_to(ROOT)).lower())


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ON_EVERY_BRIDGE], ids=name_of)
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


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_names_files_that_are_there(page: Path):
    # What a page's own blocks write, and what a reader writes, stands in blocks or in a user's project.
    own = {block.name for other in PAGES for block in blocks(other.read_text(encoding="utf-8"))}
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    names = set(re.findall(r"`([\w./-]+\.(?:py|rs|proto|sh|ini))`", text))
    missing = [name for name in sorted(names - own) if not any(exists(name))]
    assert missing == []


def exists(name: str) -> Iterator[bool]:
    """Whether a file of that name, or that end of a path, is in the project; one answer for each place."""
    yield (ROOT / name).exists()
    folders = ("loom", "loom_testing", "conformance", "bridge/engine", "bridge/server", "scripts", "docs")
    for folder in folders:
        yield any(True for _ in (ROOT / folder).rglob(name))


def test_there_is_something_to_follow():
    assert len(PAGES) > 10
    assert sum(len(blocks(page.read_text(encoding="utf-8"))) for page in PAGES) > 20
