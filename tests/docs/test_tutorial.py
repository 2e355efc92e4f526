"""The tutorial, followed on each kind of bridge: what it shows is the same everywhere."""

from __future__ import annotations

from pathlib import Path

from tests.docs.story import Story

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"


def test_the_tutorial_works_on_this_bridge(bridge_kind: str, tmp_path: Path):
    Story(TUTORIAL, tmp_path, bridge=bridge_kind).follow()
