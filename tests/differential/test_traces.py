"""Every trace that is kept: the Rust engine answers it as the Python engine did, and writes it alike."""

from __future__ import annotations

from tests.differential.rust import ROOT, RustEngine

TRACES = sorted((ROOT / "conformance" / "traces").glob("*.jsonl"))


def test_every_trace_replays(rust: RustEngine) -> None:
    assert len(TRACES) > 100
    done = rust.replay(*TRACES)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == len(TRACES)


def test_every_trace_is_written_alike(rust: RustEngine) -> None:
    for trace in TRACES:
        text = trace.read_text(encoding="utf-8")
        assert rust.recode(text) == text, trace.name


def test_a_changed_trace_is_refused(rust: RustEngine, tmp_path) -> None:
    """The replay is worth something: a wrong answer, a lacking one and a line that is no step are seen."""
    lines = (ROOT / "conformance" / "traces" / "drain--the_grace_is_an_end.jsonl").read_text().splitlines()
    place = next(place for place, line in enumerate(lines) if '"register_reply"' in line)
    trace = tmp_path / "changed.jsonl"
    for changed, code, told in (
        (lines[place].replace('"registration":1', '"registration":2'), 1, "otherwise from output 1"),
        (lines[place].partition('"out"')[0] + '"out":[]}', 1, "otherwise from output 1"),
        (lines[place].replace('"agent_id"', '"agent"'), 2, "not a step"),
    ):
        trace.write_text("\n".join([*lines[:place], changed, *lines[place + 1 :]]))
        done = rust.replay(trace)
        assert done.returncode == code
        assert f"{trace}:{place + 1}: " in done.stderr
        assert told in done.stderr


def test_a_trace_of_another_version_is_refused(rust: RustEngine, tmp_path) -> None:
    trace = tmp_path / "old.jsonl"
    trace.write_text('{"trace":0,"created":1,"limits":{}}\n')
    done = rust.replay(trace)
    assert done.returncode == 2
    assert "trace version 0 is not 1; write the trace anew" in done.stderr
