"""Which lines of the engines changed since a commit, as git tells it; or which files, where git cannot."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.mutants.mutant import CannotTryError, Mutant

__all__ = ["changed_files", "changed_lines", "digests", "drawn", "find_base", "touched"]

Lines = dict[str, set[int]]
"""Line numbers by file name."""


def find_base(root: Path, since: str, last: str | None) -> str | None:
    """The commit to compare with; None where the last full run is meant and this clone does not hold it.

    Raises:
        CannotTryError: there is no such commit, and it was asked for by name.
    """
    if since != "last":
        if not is_commit(root, since):
            raise CannotTryError(f"--since {since}: git knows no such commit here; fetch it or name another")
        return since
    return last if last and is_commit(root, last) else None


def is_commit(root: Path, name: str) -> bool:
    """Whether this clone holds the commit."""
    return git(root, "rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}") is not None


def changed_lines(root: Path, base: str, folder: str) -> Lines:
    """The lines below `folder` that are new or different since `base`, uncommitted ones included.

    Raises:
        CannotTryError: git does not answer.
    """
    listing = git(root, "diff", "--unified=0", "--no-color", "--no-ext-diff", base, "--", folder)
    untracked = git(root, "ls-files", "--others", "--exclude-standard", "--", folder)
    if listing is None or untracked is None:
        raise CannotTryError(f"git cannot compare {folder} with {base}; its own message: run git diff {base}")
    lines = read_diff(listing)
    for path in untracked.splitlines():
        count = (root / path).read_text(encoding="utf-8").count("\n") + 1
        lines[Path(path).name] = set(range(1, count + 1))
    return lines


def changed_files(root: Path, folder: str, suffix: str, before: Mapping[str, str]) -> Lines:
    """Every line of the files in `folder` whose digest is not what it was `before`, by name."""
    return {
        name: set(range(1, (root / folder / name).read_text(encoding="utf-8").count("\n") + 2))
        for name, now in digests(root, folder, suffix).items()
        if now != before.get(name)
    }


def digests(root: Path, folder: str, suffix: str) -> dict[str, str]:
    """The SHA-256 of each source of an engine, by the file's name."""
    paths = sorted((root / folder).glob(f"*{suffix}"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def read_diff(text: str) -> Lines:
    """The new lines of a diff without context. Where lines were only removed, their neighbours count."""
    lines: Lines = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("+++ "):
            name = Path(line.removeprefix("+++ ")).name
        elif found := re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line):
            start, count = int(found[1]), int(found[2] or 1)
            new = range(start, start + count) if count else (start, start + 1)
            lines.setdefault(name, set()).update(new)
    lines.pop("null", None)  # a file that is gone
    return lines


def touched(mutants: Sequence[Mutant], lines: Lines) -> list[Mutant]:
    """The mutants on these lines."""
    return [mutant for mutant in mutants if mutant.line in lines.get(mutant.file, ())]


def drawn(mutants: Sequence[Mutant], most: int | None) -> list[Mutant]:
    """At most so many of the mutants, evenly spread over their order; the same ones each time."""
    if most is None or len(mutants) <= most:
        return list(mutants)
    return [mutants[place * len(mutants) // most] for place in range(most)]


def git(root: Path, *arguments: str) -> str | None:
    """What git prints, or None where it fails."""
    try:
        done = subprocess.run(  # noqa: S603  # fixed words, and the name of a commit
            ["git", *arguments],  # noqa: S607  # git is found on the path
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
