"""The command: what is asked of an engine, and when its answer is not good enough."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from typing import ClassVar

import pytest

from scripts.mutants import command
from scripts.mutants.command import main
from scripts.mutants.engine import Engine
from scripts.mutants.mutant import CannotTryError, Mutant, Outcome

FIRST, SECOND, THIRD = (Mutant("a.py", "f", f"change {line}", line, f"n{line}") for line in (1, 2, 3))
ANSWER = """
[[python]]
file = "a.py"
function = "f"
changes = ["change 2"]
reason = "it means the same"
"""


class Planned(Engine):
    """An engine of three mutants, one on each line of its one file, whose outcomes the test sets."""

    language = "python"
    folder = "engine"
    suffix = ".py"
    outcomes: ClassVar = {FIRST: Outcome.KILLED, SECOND: Outcome.SURVIVED, THIRD: Outcome.KILLED}
    asked: ClassVar[list[tuple[list[Mutant], bool, bool]]] = []

    def versions(self):
        return "tool 1", "compiler 2"

    def mutants(self):
        return [FIRST, SECOND, THIRD]

    def attempt(self, mutants, *, chosen, resume):
        Planned.asked.append((list(mutants), chosen, resume))
        return {mutant: self.outcomes[mutant] for mutant in mutants}


class Broken(Planned):
    """An engine whose tests fail without any mutant."""

    def attempt(self, mutants, *, chosen, resume):
        raise CannotTryError("the tests fail without any mutant")


@pytest.fixture(autouse=True)
def memory_as_it_was(monkeypatch):
    """The bound would stay with the process that runs these tests."""
    monkeypatch.setattr(command, "limit_memory", lambda: None)
    monkeypatch.setattr(Planned, "asked", [])


@pytest.fixture
def root(tmp_path):
    (tmp_path / "conformance/mutation").mkdir(parents=True)
    (tmp_path / "conformance/mutation/answers.toml").write_text(ANSWER)
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine/a.py").write_text("one\ntwo\nthree\n")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def git(root, *arguments):
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *settings, *arguments], cwd=root, check=True, capture_output=True)


def commit(root):
    git(root, "add", "engine")
    git(root, "commit", "--quiet", "--message", "a step")


def run(root, *arguments, make=Planned):
    return main(arguments, root, {"python": make})


def kept(root):
    return json.loads((root / "conformance/mutation/python.json").read_text())


def test_a_full_run_is_kept(root, capsys, monkeypatch):
    monkeypatch.setattr(command, "GOAL", 60.0)
    assert run(root) == 0
    assert Planned.asked == [([FIRST, SECOND, THIRD], False, False)]
    assert kept(root)["counts"] == {"killed": 2, "timeout": 0, "survived": 1, "unviable": 0, "answered": 1}
    assert kept(root)["survivors"][0]["reason"] == "it means the same"
    words = "2 killed, 0 timeout, 1 survived, 0 unviable; 66.7 % of those that compile noticed"
    assert capsys.readouterr().out.splitlines() == [
        "kept in conformance/mutation/python.json",
        f"python: 3 mutants, {words}",
    ]


def test_too_few_noticed_fails_a_full_run(root, capsys):
    assert run(root) == 1
    assert "66.67 % noticed, at least 95 % must be" in capsys.readouterr().out


def test_a_survivor_without_an_answer_fails(root, capsys):
    (root / "conformance/mutation/answers.toml").write_text("")
    assert run(root) == 1
    assert "survived, kill or answer it: a.py:2 f: change 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("change 1", "answered for, but noticed: a.py:1 f: change 1"),
        ("gone", "an answer to no mutant: a.py f gone"),
    ],
)
def test_an_answer_out_of_date_fails(root, capsys, monkeypatch, change, problem):
    monkeypatch.setattr(command, "GOAL", 60.0)
    (root / "conformance/mutation/answers.toml").write_text(ANSWER + ANSWER.replace("change 2", change))
    assert run(root) == 1
    assert problem in capsys.readouterr().out


def test_seconds_add_up_over_resumed_runs(root, monkeypatch):
    clock = iter([0.0, 100.0, 1000.0, 1010.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    run(root)
    run(root, "--resume")
    assert [asked[2] for asked in Planned.asked] == [False, True]
    assert kept(root)["seconds"] == 110


def test_only_changed_lines(root, capsys):
    (root / "engine/a.py").write_text("one\nother\nother\n")
    assert run(root, "--since", "HEAD") == 0
    assert Planned.asked == [([SECOND, THIRD], True, False)]
    assert "2 mutants on lines changed since HEAD, 2 are tried" in capsys.readouterr().out
    assert run(root, "--since", "HEAD", "--at-most", "1") == 0
    assert Planned.asked[1:] == [([SECOND], True, False)]
    assert not (root / "conformance/mutation/python.json").exists()


def test_a_survivor_on_a_changed_line_fails(root):
    (root / "engine/a.py").write_text("one\nother\nthree\n")
    (root / "conformance/mutation/answers.toml").write_text("")
    assert run(root, "--since", "HEAD") == 1


@pytest.mark.parametrize("since", ["HEAD", "last"])
def test_nothing_changed_asks_nothing(root, capsys, since):
    run(root)
    Planned.asked.clear()
    capsys.readouterr()
    assert run(root, "--since", since) == 0
    assert Planned.asked == []
    assert "no line of the engine changed since" in capsys.readouterr().out


def test_before_the_first_full_run_all_has_changed(root, capsys):
    assert run(root, "--since", "last", "--at-most", "2") == 0
    assert Planned.asked == [([FIRST, SECOND], True, False)]
    assert (
        "3 mutants on lines changed since the kept run, by whole files, 2 are tried"
        in capsys.readouterr().out
    )


def test_a_clone_without_the_kept_run_compares_files(root, tmp_path):
    run(root)
    (root / "engine/b.py").write_text("new\n")
    commit(root)
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{root}", str(shallow))
    shutil.copytree(root / "conformance", shallow / "conformance")
    (shallow / "engine/b.py").unlink()
    Planned.asked.clear()
    assert run(shallow, "--since", "last") == 0
    assert Planned.asked == []
    (shallow / "engine/a.py").write_text("one\ntwo\nother\n")
    assert run(shallow, "--since", "last") == 0
    assert Planned.asked == [([FIRST, SECOND, THIRD], True, False)]


def test_tests_that_do_not_end_refute_an_answer_in_a_full_run_only(root, monkeypatch):
    monkeypatch.setattr(command, "GOAL", 60.0)
    monkeypatch.setattr(Planned, "outcomes", {**Planned.outcomes, SECOND: Outcome.TIMEOUT})
    assert run(root) == 1
    (root / "engine/a.py").write_text("one\nother\nthree\n")
    assert run(root, "--since", "HEAD") == 0


def test_the_last_full_run_is_what_is_compared_with(root):
    run(root)
    (root / "engine/a.py").write_text("one\nother\nthree\n")
    commit(root)
    (root / "engine/a.py").write_text("other\nother\nthree\n")
    commit(root)
    Planned.asked.clear()
    assert run(root, "--since", "last") == 0
    assert Planned.asked == [([FIRST, SECOND], True, False)]


def test_what_cannot_be_tried_is_no_verdict(root, capsys):
    assert run(root, make=Broken) == 3
    assert "mutants: the tests fail without any mutant" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["fortran"], "no engine is called fortran; there are: python"),
        (["--resume", "--since", "HEAD"], "with --since there is nothing to go on with"),
        (["--at-most", "3"], "goes with --since"),
        (["--since", "HEAD", "--at-most", "0"], "at least 1"),
        (["--jobs", "0"], "at least 1"),
        (["--wrong"], "unrecognized arguments"),
    ],
)
def test_usage(root, capsys, arguments, problem):
    with pytest.raises(SystemExit) as ended:
        run(root, *arguments)
    assert ended.value.code == 2
    assert problem in capsys.readouterr().err
