"""How a run goes on: every failure at once, the rest in a line or two."""

from __future__ import annotations

import click
import pytest

from loom_conformance.declared import Declared
from loom_conformance.progress import Progress
from loom_conformance.targets import choose
from tests.conformance.made import check, failed, passed

FOUND = Declared(frozenset(), {"name": "my-bridge", "version": "2.0", "protocol": "1.0"})


def said(progress: Progress, capsys: pytest.CaptureFixture[str], results: list) -> str:
    progress.starting(choose("fake"))
    progress.began(choose("fake"), FOUND, [check(f"c{number}") for number in range(len(results))])
    for result in results:
        progress.came(result)
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_where_nobody_watches_it_says_little(capsys: pytest.CaptureFixture[str]):
    results = [passed(f"c{number}") for number in range(8)]
    results[3] = failed("c3", "PUB-1.2")
    assert said(Progress(watched=False), capsys, results).splitlines() == [
        "· judging my-bridge 2.0: 1 clause by 8 checks",
        "· 2 of 8 checks",
        "✗ PUB-1.2  the deliveries: expected 1, got 2",
        "· 4 of 8 checks",
        "· 6 of 8 checks",
        "· 8 of 8 checks",
    ]


def test_where_somebody_watches_one_line_changes(capsys: pytest.CaptureFixture[str]):
    err = said(Progress(watched=True), capsys, [passed("c0"), failed("c1", "PUB-1.2"), passed("c2")])
    assert "starting fake" in err
    assert "1/3  PUB-1.1  c0" in err
    assert "✗ PUB-1.2  the deliveries: expected 1, got 2\n" in err
    assert err.endswith("\r\x1b[K")
    assert err.count("\n") == 2


def test_a_line_that_changes_never_wraps(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "40")
    err = said(Progress(watched=True), capsys, [passed("c" * 100), passed("d")])
    assert max(len(click.unstyle(part)) for part in err.split("\r")) <= 40


def test_without_colours_the_line_is_erased_all_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NO_COLOR", "1")
    err = said(Progress(watched=True), capsys, [failed("c0"), passed("c1")])
    assert "\r\x1b[K" in err
    assert "\x1b[3" not in err


def test_a_run_of_no_checks(capsys: pytest.CaptureFixture[str]):
    assert "0 clauses by 0 checks" in said(Progress(watched=False), capsys, [])


def test_a_bridge_that_fails_everything_is_not_told_check_by_check(capsys: pytest.CaptureFixture[str]):
    err = said(Progress(watched=False), capsys, [failed(f"c{number}") for number in range(60)])
    assert err.count("✗ PUB-1.1") == 40
    assert err.count("and more, which are not told one by one") == 1
