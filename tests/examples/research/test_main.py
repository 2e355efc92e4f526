"""The command line: what it refuses before it starts anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from examples.research.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["?"], "the question has no word to search for"),
        (["clay", "--folder", "."], "holds no text"),
        (["clay", "--narrator", "nowhere:factory"], "no narrator at 'nowhere:factory'"),
        (["clay", "--researchers", "0"], "0 is not in the range"),
    ],
)
def test_what_cannot_work_is_said_before_anything_starts(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert list(tmp_path.iterdir()) == []


def test_help_names_the_exit_codes():
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert "Exit codes: 0 answered, 1 not answered, 2 wrong usage" in result.output
