"""What commands that write transcripts have in common."""

from __future__ import annotations

import click
import pytest

from loom.cli.exits import Failure
from loom_testing.commands.output import check_place, made_redaction, write
from loom_testing.transcript import Entry, Kind, Transcript, Way, load

SOMETHING = Transcript((Entry("", Way.BESIDE, Kind.NOTE, "something"),))


def test_a_transcript_is_written_and_that_is_said(tmp_path, capsys):
    write(SOMETHING, tmp_path / "it.jsonl", " of one thing")
    assert load(tmp_path / "it.jsonl").entries == SOMETHING.entries
    assert "it.jsonl: 1 entries of one thing" in capsys.readouterr().err


def test_nothing_is_not_written(tmp_path):
    with pytest.raises(Failure, match="nothing happened there meanwhile"):
        write(Transcript(), tmp_path / "it.jsonl")


def test_what_cannot_be_written_is_told(tmp_path):
    with pytest.raises(Failure, match=r"cannot be written \(Is a directory\)"):
        write(SOMETHING, tmp_path)
    with pytest.raises(Failure, match="make its folder"):
        check_place(tmp_path / "none" / "it.jsonl")


def test_a_malformed_pattern_is_told():
    assert made_redaction(("name",), ("x+",)).keys
    with pytest.raises(click.BadParameter, match="no regular expression"):
        made_redaction((), ("(",))
