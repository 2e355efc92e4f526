"""The house rules that hold for every file of the project."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GENERATED = re.compile(r"_pb2(_grpc)?\.pyi?$")
LONGEST = 450


@cache
def tracked() -> list[Path]:
    """The project's own text files: what git tracks, or, outside a repository, what lies there."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    names = listing.stdout.split("\0") if listing.returncode == 0 else map(str, everything())
    paths = [ROOT / name for name in names if name]
    return [path for path in paths if path.is_file() and not GENERATED.search(path.name)]


def everything() -> list[Path]:
    """All files below the root that are not hidden and not built."""
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and not any(
            part.startswith(".") or part in {"build", "dist", "out"} for part in path.relative_to(ROOT).parts
        )
    ]


def sources(*folders: str) -> list[Path]:
    return [
        path
        for path in tracked()
        if path.suffix == ".py"
        and path.relative_to(ROOT).parts[0] in (folders or {path.relative_to(ROOT).parts[0]})
    ]


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_tree_is_looked_at():
    assert len(sources("loom", "loom_testing")) > 20


def test_no_file_is_too_long():
    lengths = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST} == {}


def defines_functions(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(tree))


@cache
def files_of_tests(package: str) -> frozenset[str]:
    """The names of the test files of a package, and those of the wire."""
    folders = (ROOT / "tests" / package, ROOT / "tests" / "wire")
    return frozenset(path.stem for folder in folders for path in folder.rglob("test_*.py"))


def has_tests(path: Path) -> bool:
    """Whether the module's own test file exists: test_NAME, test_NAME_*, test_FOLDER_NAME.

    A folder may also have one for all of it, test_FOLDER.
    """
    relative = path.relative_to(ROOT)
    name = relative.stem.lstrip("_")
    folder = relative.parent.name
    wanted = {f"test_{name}", f"test_{folder}_{name}", f"test_{folder}"}
    there = files_of_tests(relative.parts[0])
    return bool(wanted & there) or any(test.startswith(f"test_{name}_") for test in there)


def modules(*folders: str) -> list[Path]:
    """The modules of what is built here: not the packages themselves, nor what `loom new` copies."""
    return [
        path
        for path in sources(*folders)
        if path.name not in {"__init__.py", "__main__.py"} and "templates" not in path.parts
    ]


def is_check(path: Path) -> bool:
    """Whether the module is one of the conformance suite's checks: those are proved by mutants."""
    return path.parent == ROOT / "conformance" / "loom_conformance" / "checks"


def test_every_module_that_does_something_has_its_own_test_file():
    looked_at = [path for path in modules("loom", "loom_testing", "conformance") if not is_check(path)]
    missing = [shown(path) for path in looked_at if defines_functions(path) and not has_tests(path)]
    assert missing == [], "\n".join(missing)


def exported(path: Path) -> list[str] | None:
    """The names in a module's `__all__`, or None where it has none."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                return list(ast.literal_eval(value))
            case ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.expr() as value):
                return list(ast.literal_eval(value))
            case _:
                continue
    return None


def is_command(path: Path) -> bool:
    """Whether the module is one command of the command line: then all it offers is `command`."""
    return path.parent == ROOT / "loom" / "cli" and "def command(" in path.read_text(encoding="utf-8")


def test_every_module_says_what_it_offers():
    silent = [
        shown(path)
        for path in modules("loom", "loom_testing", "conformance")
        if not is_command(path) and not is_check(path) and exported(path) is None
    ]
    assert silent == [], "\n".join(silent)


FORBIDDEN = {
    "a path of somebody's machine": re.compile(r"(?<![\w.~-])/(?:" + "work|root|Users" + r")/[a-z.]"),
    "the host of a package registry": re.compile(
        "py" + r"pi\.org|python" + r"hosted\.|crates" + r"\.io/|npmjs" + r"\.org"
    ),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_tree_does_not_know_this_machine(what: str):
    found = []
    for path in tracked():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # a picture
        found += [
            f"{shown(path)}:{number}" for number, line in enumerate(lines, 1) if FORBIDDEN[what].search(line)
        ]
    assert found == []


UNFINISHED = re.compile(r"\b(?:TO" + "DO|FIX" + "ME|XX" + "X|raise Not" + r"ImplementedError)\b")
BARE_IGNORE = re.compile(r"# (?:type: ignore|no" + r"qa)(?:\[[\w, -]*\]|: ?[A-Z0-9, ]+)?\s*$")


def test_nothing_says_of_itself_that_it_is_unfinished():
    assert matches(UNFINISHED) == []


def test_every_ignored_rule_has_its_reason_beside_it_or_above():
    assert [place for place, above in places(BARE_IGNORE) if not above.lstrip().startswith("#")] == []


def matches(pattern: re.Pattern[str]) -> list[str]:
    return [place for place, _ in places(pattern)]


def places(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """Where the pattern stands, each with the line above."""
    found = []
    for path in sources():
        lines = path.read_text(encoding="utf-8").splitlines()
        found += [
            (f"{shown(path)}:{number + 1}", lines[number - 1] if number else "")
            for number, line in enumerate(lines)
            if pattern.search(line)
        ]
    return found


def test_no_script_with_pipefail_reads_only_the_head_of_a_pipe():
    """What is cut off by `head` may end of SIGPIPE (141), and the whole script with it."""
    scripts = [path for path in tracked() if path.suffix == ".sh" or path.name == "run"]
    assert scripts
    cut = [str(path) for path in scripts if "pipefail" in (text := path.read_text()) and "| head" in text]
    assert cut == [], "take `sed -n 1p`: it reads to the end"
