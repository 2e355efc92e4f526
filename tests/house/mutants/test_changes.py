"""Which lines changed: in a repository of the test's own."""

from __future__ import annotations

import subprocess

import pytest

from scripts.mutants.changes import changed_files, changed_lines, digests, drawn, find_base, touched
from scripts.mutants.mutant import CannotTryError, Mutant

LINES = [f"line {number}\n" for number in range(1, 11)]


def git(root, *arguments):
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *settings, *arguments], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def write(root, name, lines):
    path = root / "engine" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(lines))


def commit(root):
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "a step")
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def root(tmp_path):
    git(tmp_path, "init", "--quiet")
    for name in ("kept.py", "changed.py", "gone.py"):
        write(tmp_path, name, LINES)
    (tmp_path / "elsewhere.py").write_text("".join(LINES))
    commit(tmp_path)
    return tmp_path


def test_lines_changed_added_and_removed(root):
    write(root, "changed.py", ["new\n", *LINES[:3], "other\n", *LINES[4:7], *LINES[8:]])
    (root / "engine" / "gone.py").unlink()
    (root / "elsewhere.py").write_text("other\n")
    base = git(root, "rev-parse", "HEAD")
    wanted = {"changed.py": {1, 5, 8, 9}}
    assert changed_lines(root, base, "engine") == wanted
    commit(root)
    assert changed_lines(root, base, "engine") == wanted


def test_every_line_of_a_new_file_is_new(root):
    write(root, "new.py", ["a\n", "b\n"])
    assert changed_lines(root, "HEAD", "engine") == {"new.py": {1, 2, 3}}
    git(root, "add", ".")
    assert changed_lines(root, "HEAD", "engine") == {"new.py": {1, 2}}


def test_nothing_changed(root):
    assert changed_lines(root, "HEAD", "engine") == {}


def test_the_last_run_is_compared_with(root):
    first = git(root, "rev-parse", "HEAD")
    write(root, "changed.py", [])
    commit(root)
    assert find_base(root, "last", first) == first


def test_a_clone_without_the_last_run_has_nothing_to_compare_with(root, tmp_path):
    first = git(root, "rev-parse", "HEAD")
    assert find_base(root, "last", "0" * 40) is None
    assert find_base(root, "last", None) is None
    write(root, "changed.py", [])
    commit(root)
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{root}", str(shallow))
    assert find_base(shallow, "last", first) is None


def test_a_file_that_is_not_as_it_was_has_changed_as_a_whole(root):
    before = digests(root, "engine", ".py")
    assert set(before) == {"kept.py", "changed.py", "gone.py"}
    assert changed_files(root, "engine", ".py", before) == {}
    write(root, "changed.py", ["new\n", "lines\n"])
    write(root, "added.py", ["a\n"])
    write(root, "added.txt", ["a\n"])
    (root / "engine" / "gone.py").unlink()
    assert changed_files(root, "engine", ".py", before) == {"changed.py": {1, 2, 3}, "added.py": {1, 2}}


def test_without_git_nothing_is_known(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert find_base(tmp_path, "last", "0" * 40) is None
    with pytest.raises(CannotTryError, match="cannot compare"):
        changed_lines(tmp_path, "HEAD", "engine")


def test_a_commit_that_was_named_must_be_there(root):
    assert find_base(root, "HEAD", None) == "HEAD"
    with pytest.raises(CannotTryError, match="--since nowhere: git knows no such commit"):
        find_base(root, "nowhere", None)
    with pytest.raises(CannotTryError, match="--since --all"):
        find_base(root, "--all", None)


def mutants(*places):
    return [Mutant(file, "f", f"change {line}", line, "n") for file, line in places]


def test_mutants_on_these_lines():
    found = mutants(("a.py", 1), ("a.py", 2), ("b.py", 1))
    assert touched(found, {"a.py": {2, 3}, "c.py": {1}}) == [found[1]]


def test_a_draw_is_spread_and_always_the_same():
    found = mutants(*(("a.py", line) for line in range(10)))
    assert drawn(found, None) == drawn(found, 10) == found
    assert [mutant.line for mutant in drawn(found, 3)] == [0, 3, 6]
    assert drawn(found, 3) == drawn(found, 3)
