"""`loom-testing diagram`: what it draws, where to, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from loom_testing.cli import main
from loom_testing.transcript import encode
from tests.loom_testing.transcript.story import order

TRACES = Path(__file__).parents[3] / "conformance" / "traces"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "order.jsonl"
    path.write_text(encode(order(1).transcript()), encoding="utf-8")
    return path


def run(*arguments, stdin=None):
    return CliRunner().invoke(main, ["diagram", *map(str, arguments)], input=stdin)


def test_text_goes_to_stdout(file):
    done = run(file, "--width", 100)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()
    assert run("-", "--width", 100, stdin=file.read_text()).stdout == done.stdout


def test_the_ending_says_what_to_draw(file, tmp_path):
    for name, begins in (
        ("a.svg", "<svg"), ("a.SVG", "<svg"), ("a.mmd", "sequenceDiagram"), ("a.mermaid", "sequenceDiagram"),
        ("a.txt", "probe"), ("a", "probe"),
    ):  # fmt: skip
        done = run(file, "-o", tmp_path / name)
        assert done.exit_code == 0, done.output
        assert begins in (tmp_path / name).read_text(encoding="utf-8")[:400]
        assert (done.stdout, "entries drawn" in done.stderr) == ("", True)


def test_an_ending_of_what_it_cannot_draw_is_refused(file, tmp_path):
    done = run(file, "-o", tmp_path / "x.png")
    assert (done.exit_code, done.stdout) == (2, "")
    said = "x.png: cannot draw what ends in .png: end it in .svg, .mmd, .mermaid, .txt, or say --format"
    assert said in done.stderr
    assert not (tmp_path / "x.png").exists()
    assert run(file, "-o", tmp_path / "x.drawn", "--format", "svg").exit_code == 0


def test_mermaid_and_svg_go_to_stdout_too(file):
    assert run(file, "--format", "mermaid").stdout.startswith("sequenceDiagram")
    assert run(file, "--format", "svg").stdout.startswith("<svg")


def test_a_bridges_trace_is_drawn_as_well(tmp_path):
    trace = sorted(TRACES.glob("calls--goes_to*.jsonl"))[0]
    drawn = run(trace, "--width", 100)
    assert drawn.exit_code == 0, drawn.output
    assert "call " in drawn.stdout
    assert run("-", "--width", 100, stdin=trace.read_text()).stdout == drawn.stdout


def test_what_is_shown_can_be_chosen(file):
    rows = run(file, "--width", 100).stdout.splitlines()
    assert len(run(file, "--width", 100, "--full").stdout.splitlines()) > len(rows)
    short = run(file, "--width", 100, "--rows", 4).stdout
    assert "not shown" in short
    assert len(short.splitlines()) < len(rows)
    one = run(file, "--width", 100, "--agent", "probe").stdout
    assert "probe" in one
    assert "prices" not in one
    assert max(map(len, run(file, "--width", 60).stdout.splitlines())) <= 60


def test_a_picture_that_cannot_be_written_is_told(file, tmp_path):
    done = run(file, "-o", tmp_path / "nowhere" / "a.svg")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "cannot be written" in done.stderr
    assert run(file, "--format", "png").exit_code == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[: len(text) // 2], "it is no JSON; the file may be cut off there"),
        (lambda text: text[: text.rindex("\n", 0, -1) + 1], "is cut off: its header promises"),
        (
            lambda text: text.replace('"transcript":1', '"transcript":9'),
            "is of version 9 and this Loom",
        ),
        (lambda text: "", "is no transcript: its first line is no header"),
        (lambda text: '{"trace":99}\n', "no trace that this Loom can read"),
        (lambda text: "hello", "is no transcript: its first line is no header"),
    ],
    ids=["half a line", "truncated", "version", "empty", "another trace", "text"],
)
@pytest.mark.parametrize("way", ["file", "stdin"])
def test_what_is_no_whole_transcript_is_refused_in_one_line(file, change, said, way):
    text = change(file.read_text(encoding="utf-8"))
    file.write_text(text, encoding="utf-8")
    done = run(file) if way == "file" else run("-", stdin=text)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert ("stdin" if way == "stdin" else "order.jsonl") in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_is_no_transcript_is_refused_in_one_line(tmp_path, file):
    other = tmp_path / "other.txt"
    other.write_text("hello")
    for wrong in ([other], [tmp_path / "nowhere.jsonl"], [file, "--agent", "nobody-of-that-name"]):
        done = run(*wrong)
        assert done.exit_code == 2
        assert done.stdout == ""
