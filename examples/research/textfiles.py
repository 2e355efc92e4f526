"""A folder of text or Markdown as documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from examples.research.passage import Document, Passage, cut

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SUFFIXES", "documents", "read"]

SUFFIXES = frozenset({".md", ".markdown", ".txt", ".rst", ".text"})
"""What is taken for text."""

LARGEST = 8 * 1024 * 1024
"""Larger files, in bytes, are left out: they are data rather than prose."""


def documents(folder: Path) -> list[Document]:
    """The text files under `folder`, hidden ones and links left out.

    Raises:
        ValueError: it is no folder, or holds no text.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; name one that holds {_listed()} files")
    found: list[Document] = []
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.suffix.lower() not in SUFFIXES or any(part.startswith(".") for part in relative.parts):
            continue
        if path.is_file() and not path.is_symlink() and 0 < (size := path.stat().st_size) <= LARGEST:
            found.append(Document(f"file:{relative.as_posix()}", size))
    if not found:
        raise ValueError(f"{folder} holds no text; it needs {_listed()} files")
    return found


def read(document: Document, folder: Path) -> list[Passage]:
    """The passages of one file, by heading and size; bytes that are not UTF-8 are replaced."""
    name = document.key.removeprefix("file:")
    try:
        text = (folder / name).read_text("utf-8", errors="replace")
    except OSError:
        return []
    return [
        Passage(
            key=f"{document.key}#{first + 1}",
            source=name,
            heading=heading,
            place=f"{name}, lines {first + 1}-{last + 1}",
            signature="",
            text=piece,
            kind="text",
        )
        for first, last, heading, piece in cut(text)
    ]


def _listed() -> str:
    return ", ".join(sorted(SUFFIXES))
