"""Transcripts with syrupy, as a user's tests have them."""

from __future__ import annotations

import pytest

from loom_testing.transcript import Transcript, load
from loom_testing.transcript.snapshots import TranscriptExtension
from tests.loom_testing.transcript.story import order

pytest_plugins = ["pytester"]

TEST = """
from dataclasses import replace
from loom_testing.transcript.snapshots import TranscriptExtension
from tests.loom_testing.transcript.story import order

def test_order(snapshot):
    transcript = order({seed}).transcript()
    transcript = replace(transcript, about="{about}", bridge="bridge {seed}")
    assert transcript == snapshot.use_extension(TranscriptExtension)
"""


@pytest.fixture
def run(pytester: pytest.Pytester, request: pytest.FixtureRequest):
    """Runs a test of a user's; the project's own tests can be imported there."""
    pytester.makeini(f"[pytest]\npythonpath = {request.config.rootpath}\nasyncio_mode = auto")

    def run(*options: str, seed: int = 1, about: str = "an order") -> pytest.RunResult:
        pytester.makepyfile(test_shop=TEST.format(seed=seed, about=about))
        return pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:xdist", *options)

    return run


def test_kept_compared_and_renewed(run, pytester: pytest.Pytester):
    run().assert_outcomes(failed=1)  # nothing is kept yet
    run("--snapshot-update").assert_outcomes(passed=1)
    kept = load(pytester.path / "__snapshots__" / "test_shop" / "test_order.jsonl")
    assert (kept.about, kept.bridge, kept.started) == ("an order", "", "")
    run(seed=2).assert_outcomes(passed=1)  # other ids, another bridge
    failed = run(about="another order")
    failed.assert_outcomes(failed=1)
    failed.stdout.fnmatch_lines(["*about: expected 'an order', got 'another order'*"])
    run("--snapshot-update", about="another order").assert_outcomes(passed=1)
    run(about="another order").assert_outcomes(passed=1)


def test_only_transcripts_are_kept():
    extension = TranscriptExtension()
    with pytest.raises(TypeError, match="dict is no transcript"):
        extension.serialize({})
    assert extension.serialize(Transcript()).startswith('{"transcript":1')


def test_a_kept_file_that_is_none_says_what_to_do():
    extension = TranscriptExtension()
    lines = list(extension.diff_lines(extension.serialize(order().transcript()), "broken"))
    said = "the kept transcript is no transcript: its first line is no header; give a recorded .jsonl"
    assert lines == [f"{said} (pytest --snapshot-update)"]


@pytest.mark.parametrize("nothing", ["", None])
def test_the_first_time_nothing_is_kept_yet(nothing):
    extension = TranscriptExtension()
    lines = list(extension.diff_lines(extension.serialize(order().transcript()), nothing))
    assert lines == ["no transcript is kept for this test yet: pytest --snapshot-update"]
