"""All reports of a run, drawn from its JSON and nothing else."""

from __future__ import annotations

from pathlib import Path

from loom_conformance import document
from loom_conformance.report import FILES, write
from loom_conformance.report.transcripts import as_svg, as_text
from tests.conformance.made import TRANSCRIPT, bad


def test_every_report_is_written(tmp_path: Path):
    written = write(bad(), tmp_path / "a" / "b")
    assert [path.name for path in written] == list(FILES)
    assert all(path.stat().st_size > 200 for path in written)


def test_the_reports_drawn_again_from_the_json_are_the_same(tmp_path: Path):
    first = write(bad(), tmp_path / "first")
    read = document.load(first[0].read_text(encoding="utf-8"), "r")
    again = write(read, tmp_path / "again")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]


def test_transcripts_are_drawn():
    assert as_svg(TRANSCRIPT).startswith("<svg")
    assert "publish" in as_text(TRANSCRIPT)
