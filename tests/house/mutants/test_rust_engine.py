"""What a resumed run of Rust's mutants goes on with. cargo-mutants itself is played by a small program."""

from __future__ import annotations

import json
import os
import sys

import pytest

from scripts.mutants.engine import Place
from scripts.mutants.mutant import CannotTryError, Outcome
from scripts.mutants.rust_engine import TOOL, RustEngine

SOURCE = "fn fits(size: u64) -> bool {\n    size < 9\n}\n"
PLAYED = '''#!{python}
"""Lists one mutant for each file, and finds each as its own file says."""
import json, pathlib, sys

arguments = sys.argv[2:]
files = sorted(pathlib.Path("engine/src").glob("*.rs")) if "--version" not in arguments else []
names = {{file: f"{{file}}:2:10: replace < with <= in fits" for file in files}}
if "--version" in arguments:
    print("{tool}")
elif "--list" in arguments:
    place = {{"start": {{"line": 2, "column": 10}}, "end": {{"line": 2, "column": 11}}}}
    more = {{"function": {{"function_name": "fits"}}, "genre": "BinaryOperator", "replacement": "<="}}
    print(json.dumps([{{"file": str(f), "name": names[f], "span": place, **more}} for f in files]))
else:
    out = pathlib.Path(next(a for a in arguments if a.startswith("--output=")).removeprefix("--output="))
    out /= "mutants.out"
    out.mkdir(exist_ok=True)
    caught = out / "caught.txt"
    done = caught.read_text().splitlines() if caught.exists() else []
    wanted = [f for f in files if names[f] not in done]
    said = {{names[f]: f.with_suffix(".says").read_text() for f in wanted}}
    entries = [{{"scenario": {{"Mutant": {{"name": name}}}}, "summary": said[name]}} for name in said]
    (out / "outcomes.json").write_text(json.dumps({{"outcomes": entries}}))
    done += [name for name in said if said[name] == "CaughtMutant"]
    caught.write_text("".join(name + "\\n" for name in done))
    with open("tried", "a") as tried:
        tried.write(json.dumps([f.name for f in wanted]) + "\\n")
    sys.exit(int(pathlib.Path("code").read_text()))
'''


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A workspace of two files, and the played tools first on the path."""
    source = tmp_path / "bridge" / "engine" / "src"
    source.mkdir(parents=True)
    for name in ("a", "b"):
        (source / f"{name}.rs").write_text(SOURCE)
    (tmp_path / "bridge" / "code").write_text("2")
    programs = {
        "cargo-mutants": PLAYED.format(python=sys.executable, tool=TOOL),
        "rustc": f"#!{sys.executable}\nprint('rustc 1.2.3 (c0ffee 2026-01-02)')\n",
    }
    (tmp_path / "bin").mkdir()
    for name, text in programs.items():
        path = tmp_path / "bin" / name
        path.write_text(text)
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    return Place(tmp_path, tmp_path / "work" / "full", 1)


def says(place, name, summary):
    (place.root / "bridge" / "engine" / "src" / f"{name}.says").write_text(summary)


def tried(place):
    """The files whose mutants each run of the tool was left to try, since the last time."""
    path = place.root / "bridge" / "tried"
    lines = path.read_text().splitlines()
    path.unlink()
    return [json.loads(line) for line in lines]


def attempt(place, *, resume):
    engine = RustEngine(place)
    outcomes = engine.attempt(engine.mutants(), chosen=False, resume=resume)
    return {mutant.file: outcome for mutant, outcome in outcomes.items()}


def test_what_the_first_tests_let_pass_is_tried_against_all(place):
    says(place, "a", "CaughtMutant")
    says(place, "b", "MissedMutant")
    assert attempt(place, resume=False) == {"a.rs": Outcome.KILLED, "b.rs": Outcome.SURVIVED}
    assert tried(place) == [["a.rs", "b.rs"], ["b.rs"]]


def test_a_resumed_run_tries_what_is_left(place):
    says(place, "a", "CaughtMutant")
    says(place, "b", "MissedMutant")
    attempt(place, resume=False)
    tried(place)
    says(place, "b", "CaughtMutant")
    assert attempt(place, resume=True) == {"a.rs": Outcome.KILLED, "b.rs": Outcome.KILLED}
    assert tried(place) == [["b.rs"], []]


def test_a_file_that_changed_is_tried_again(place):
    for name in ("a", "b"):
        says(place, name, "CaughtMutant")
    attempt(place, resume=False)
    tried(place)
    (place.root / "bridge/engine/src/a.rs").write_text(SOURCE + "\n")
    says(place, "a", "Timeout")
    assert attempt(place, resume=True) == {"a.rs": Outcome.TIMEOUT, "b.rs": Outcome.KILLED}
    assert tried(place)[0] == ["a.rs"]


def test_a_new_run_knows_nothing(place):
    for name in ("a", "b"):
        says(place, name, "CaughtMutant")
    attempt(place, resume=False)
    tried(place)
    attempt(place, resume=False)
    assert tried(place)[0] == ["a.rs", "b.rs"]


def test_a_tool_that_gives_up_is_no_verdict(place):
    for name in ("a", "b"):
        says(place, name, "CaughtMutant")
    (place.root / "bridge" / "code").write_text("4")
    with pytest.raises(CannotTryError, match="gave up with exit code 4"):
        attempt(place, resume=False)


def test_the_versions(place):
    assert RustEngine(place).versions() == (TOOL, "rustc 1.2.3")
