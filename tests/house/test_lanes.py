"""The report of lanes: a lane or a test that was left out is a failure."""

from __future__ import annotations

import json

import pytest

from scripts.lanes import main, read_lanes

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


def test_all_passed(root, capsys):
    (root / ".tox/junit/py.xml").write_text(JUNIT.format(inside=""))
    assert main(root) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed, 0 failed, 0 skipped"


def test_a_lane_that_never_ran_fails(root, capsys):
    ran(root, lint=PASSED)
    assert main(root) == 1
    assert "py       not run" in capsys.readouterr().out


def test_no_result_at_all_fails(root):
    (root / ".tox" / "lanes.json").unlink()
    assert main(root) == 1
    assert [lane.outcome for lane in read_lanes(root)] == ["not run", "not run"]


def test_a_skipped_test_fails_and_is_named(root, capsys):
    (root / ".tox/junit/py.xml").write_text(JUNIT.format(inside="<skipped/>"))
    assert main(root) == 1
    assert "skipped: tests.a::two" in capsys.readouterr().out


def test_a_failed_lane_fails(root):
    ran(root, lint=PASSED, py={"result": {"success": False}})
    (root / ".tox/junit/py.xml").write_text(JUNIT.format(inside="<failure/>"))
    assert main(root) == 1
    lane = read_lanes(root)[1]
    assert (lane.outcome, lane.tests, lane.failed) == ("failed", 2, 1)
