"""The report of lanes: a lane or a test that was left out is seen, and fails CI."""

from __future__ import annotations

import json
import shutil

import pytest

from scripts import lanes
from scripts.lanes import read_lanes, report

PASSED = {"result": {"success": True}}
JUNIT = """<testsuites><testsuite>
<testcase classname="tests.a" name="one"/>
<testcase classname="tests.a" name="two">{inside}</testcase>
</testsuite></testsuites>"""


@pytest.fixture
def root(tmp_path):
    (tmp_path / "tox.ini").write_text("[tox]\nenv_list = lint, py\n")
    (tmp_path / ".tox" / "junit").mkdir(parents=True)
    ran(tmp_path, lint=PASSED, py=PASSED)
    return tmp_path


def ran(root, **lanes):
    (root / ".tox" / "lanes.json").write_text(json.dumps({"testenvs": lanes}))


def wrote(root, inside="", name="py"):
    (root / f".tox/junit/{name}.xml").write_text(JUNIT.format(inside=inside))


def test_all_passed(root, capsys):
    wrote(root)
    assert report(read_lanes(root), {}, strict=True) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed, 0 failed, 0 skipped"


def test_a_lane_that_could_not_run_is_shown_in_red_and_fails_ci(root, capsys):
    ran(root, lint=PASSED)
    assert report(read_lanes(root), {"py": "cargo is not installed"}, strict=True) == 1
    assert "\x1b[31mpy       not run  cargo is not installed\x1b[0m" in capsys.readouterr().out
    assert report(read_lanes(root), {"py": "cargo is not installed"}, strict=False) == 0


def test_no_result_at_all_fails_ci(root):
    (root / ".tox" / "lanes.json").unlink()
    assert [lane.outcome for lane in read_lanes(root)] == ["not run", "not run"]
    assert report(read_lanes(root), {}, strict=True) == 1


def test_a_skipped_test_is_named_and_fails_ci(root, capsys):
    wrote(root, "<skipped/>")
    assert report(read_lanes(root), {}, strict=True) == 1
    assert "skipped: tests.a::two" in capsys.readouterr().out
    assert report(read_lanes(root), {}, strict=False) == 0


def test_a_failed_lane_fails_everywhere(root):
    ran(root, lint=PASSED, py={"result": {"success": False}})
    wrote(root, "<failure/>")
    lane = read_lanes(root)[1]
    assert (lane.outcome, lane.tests, lane.failed) == ("failed", 2, 1)
    assert report(read_lanes(root), {}, strict=False) == 1


def test_a_lane_may_have_several_reports(root):
    wrote(root)
    wrote(root, name="py-more")
    wrote(root, name="pyramid")
    assert read_lanes(root)[1].tests == 4


def test_a_missing_tool_is_named(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda tool: None if tool == "cargo" else tool)
    assert lanes.missing_tool("rust") == "cargo is not installed"
    assert lanes.missing_tool("docker") == "cargo is not installed"
    assert lanes.missing_tool("py") == ""


def test_every_lane_that_needs_a_tool_is_a_lane():
    assert set(lanes.NEEDS) <= set(lanes.lane_names(lanes.ROOT))
