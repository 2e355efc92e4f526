"""What a process is told by its environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.research import settings


def test_nothing_said_means_the_defaults(monkeypatch: pytest.MonkeyPatch):
    for name in ("HOME", "FOLDER", "NAME", "SHARE", "NARRATOR"):
        monkeypatch.delenv(f"RESEARCH_{name}", raising=False)
    assert settings.home() == Path("out/research")
    assert settings.folder() is None
    assert settings.name("writer") == "writer"
    assert settings.share() == (1, 1)
    assert settings.narrator() == ""
    assert settings.corpus_name(None).startswith("the documentation that Python 3")


def test_a_share_is_read_and_a_malformed_one_says_what_to_write(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RESEARCH_SHARE", "2/3")
    assert settings.share() == (2, 3)
    for wrong in ("3/2", "0/1", "2", "a/b", ""):
        monkeypatch.setenv("RESEARCH_SHARE", wrong)
        with pytest.raises(ValueError, match="write it as 1/2"):
            settings.share()
