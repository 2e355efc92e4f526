"""What is searched: documents, cut into passages that can be cited. Pure but for reading files.

`documents` lists what there is, cheaply; `share` splits the list among researchers; `read` cuts one document
into passages. Every passage knows where it stands, so that a report can cite it and a reader can check it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from examples.research import pydocs, textfiles
from examples.research.passage import Document, Passage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Library", "documents", "find", "read", "share"]


def documents(folder: Path | None = None) -> list[Document]:
    """Every document of `folder`, or of the Python documentation when it is None, in a fixed order.

    Raises:
        ValueError: the folder does not exist, or holds no text.
    """
    found = pydocs.documents() if folder is None else textfiles.documents(folder)
    return sorted(found, key=lambda document: document.key)


def share(found: Sequence[Document], index: int, count: int) -> list[Document]:
    """The `index`-th (from 1) of `count` shares of about the same size; each document is in exactly one.

    Raises:
        ValueError: `index` is not between 1 and `count`.
    """
    if not 1 <= index <= count:
        raise ValueError(f"share {index}/{count} does not exist; use 1/{count} to {count}/{count}")
    loads = [0] * count
    mine: list[Document] = []
    for document in sorted(found, key=lambda document: (-document.size, document.key)):
        lightest = loads.index(min(loads))
        loads[lightest] += document.size
        if lightest == index - 1:
            mine.append(document)
    return sorted(mine, key=lambda document: document.key)


def read(document: Document, folder: Path | None = None) -> list[Passage]:
    """The passages of one document; none when it cannot be read as text."""
    return pydocs.read(document) if folder is None else textfiles.read(document, folder)


def find(key: str, folder: Path | None = None) -> Passage | None:
    """The passage with this key, read from its source again; None when there is none (any more).

    Only documents that `documents` lists are ever opened, whatever the key says.
    """
    document = _listed(folder).get(key.rpartition("#")[0])
    if document is None:
        return None
    return next((passage for passage in read(document, folder) if passage.key == key), None)


@cache
def _listed(folder: Path | None) -> dict[str, Document]:
    """The documents by key, listed once: what comes later was not searched either."""
    return {document.key: document for document in documents(folder)}


@dataclass(frozen=True, slots=True)
class Library:
    """A share of the documents, read.

    Attributes:
        documents: how many documents it holds.
        passages: their passages, in a fixed order.
    """

    documents: int
    passages: list[Passage]

    @classmethod
    def load(cls, folder: Path | None, index: int = 1, count: int = 1) -> Library:
        """Read the `index`-th of `count` shares. The same text under two names is kept once.

        Raises:
            ValueError: the folder holds no text, or there is no such share.
        """
        mine = share(documents(folder), index, count)
        mine.sort(key=lambda document: (document.size, document.key))  # the shorter text is the one to cite
        unique: dict[tuple[str, str], Passage] = {}
        for document in mine:
            for passage in read(document, folder):
                unique.setdefault((passage.signature, passage.text), passage)
        return cls(len(mine), list(unique.values()))

    @property
    def characters(self) -> int:
        """How much text it holds, in characters."""
        return sum(len(passage.text) for passage in self.passages)
