"""A private copy of what the engine's tests need, so that nobody's edit of the tree meets a half-done run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

__all__ = ["mirror"]

BUILT = {"__pycache__", ".hypothesis", ".pytest_cache"}


def mirror(root: Path, names: tuple[str, ...], target: Path) -> None:
    """Makes `target` hold these files and folders of `root` as they are now.

    What is the same stays untouched, with its time: by that a resumed run knows what it need not do again.
    """
    for name in names:
        wanted = set(files(root, root / name))
        for path in set(files(target, target / name)) - wanted:
            (target / path).unlink()
        for path in wanted:
            copy(root / path, target / path)


def files(root: Path, path: Path) -> Iterator[Path]:
    """The path, or all files below it, relative to `root`; nothing where it is not there."""
    if path.is_file():
        yield path.relative_to(root)
    for inner in path.rglob("*"):
        if inner.is_file() and not BUILT & set(inner.parts):
            yield inner.relative_to(root)


def copy(source: Path, target: Path) -> None:
    """Copies where the bytes differ."""
    if target.exists() and target.read_bytes() == source.read_bytes():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
