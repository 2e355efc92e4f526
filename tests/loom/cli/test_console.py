"""How commands speak: colour, tables, JSON, patience."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import click
import pytest

from loom.cli import console


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [({}, None), ({"NO_COLOR": "1"}, False), ({"FORCE_COLOR": "1"}, True), ({"NO_COLOR": ""}, None)],
)
def test_colour_follows_the_environment(environ: dict[str, str], wanted: bool | None) -> None:
    assert console.colour_wanted(environ) is wanted


def test_forced_colour_and_none() -> None:
    def stderr(**extra: str) -> str:
        environ = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
        done = subprocess.run(
            [sys.executable, "-m", "loom.cli", "nwe"],
            env=environ | extra,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stderr

    assert "\x1b[" in stderr(FORCE_COLOR="1")
    assert "\x1b[" not in stderr()
    assert "\x1b[" not in stderr(NO_COLOR="1", FORCE_COLOR="1")


def test_tables_align_without_counting_style() -> None:
    rows = [[click.style("a", fg="red"), "1"], ["bbb", "22"]]
    assert [click.unstyle(line) for line in console.table(rows)] == ["a    1", "bbb  22"]


def test_json_is_one_line_unless_a_person_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    console.json_line({"a": "ü"})
    console.json_line({"a": 1}, pretty=True)
    first, rest = capsys.readouterr().out.split("\n", 1)
    assert first == '{"a": "ü"}'
    assert rest == '{\n  "a": 1\n}\n'
    assert json.loads(rest) == {"a": 1}


def test_talk_goes_to_stderr_and_data_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    console.say("talk")
    console.data("data")
    console.error("it broke")
    told = capsys.readouterr()
    assert (told.out, told.err) == ("data\n", "talk\nerror: it broke\n")


@pytest.mark.parametrize("kind", ["good", "bad", "warn", "note"])
def test_every_mark_is_one_sign(kind: str) -> None:
    assert len(click.unstyle(console.mark(kind))) == 1


def test_a_character_that_the_stream_does_not_know_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="latin-1"))
    console.tolerate_narrow_encodings()
    console.data("a → b")
    assert raw.getvalue() == b"a ? b\n"


class Terminal(io.StringIO):
    """A stderr that somebody watches."""

    def isatty(self) -> bool:
        return True


def test_patience_speaks_only_when_it_takes_long_and_somebody_watches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with console.patience("waiting for it"):
        pass
    assert terminal.getvalue() == ""
    monkeypatch.setattr(console, "PATIENCE_SECONDS", 0.0)
    with console.patience("waiting for it") as timer:
        assert timer is not None
        timer.join(10)
    assert "waiting for it" in terminal.getvalue()
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with console.patience("waiting for it") as timer:
        assert timer is None
