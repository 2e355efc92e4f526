"""The two nouns of the corpus: a document, and a passage of it that can be cited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from examples.research.text import heading_of, is_code, paragraphs

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Document", "Kind", "Passage", "cut"]

Kind = Literal["topic", "docstring", "text"]

LONGEST = 1400
"""A passage is closed before it grows beyond this many characters; one paragraph is never cut."""


@dataclass(frozen=True, slots=True)
class Document:
    """Something that can be read as a whole.

    Attributes:
        key: names it among all documents, e.g. `source:json/decoder.py`.
        size: about how much work it is, in bytes.
    """

    key: str
    size: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document, small enough to be ranked and cited as one.

    Attributes:
        key: the document's key and the place in it, e.g. `source:json/decoder.py#254`.
        source: what a reader calls it, e.g. `json.JSONDecoder` or `the topic "with"`.
        heading: the heading it stands under; empty where there is none.
        place: where a reader finds it, e.g. `json/decoder.py, lines 254-279`.
        signature: how the described thing is called or written; empty for plain text.
        text: the passage itself, word for word.
        kind: which sort of text it is.
    """

    key: str
    source: str
    heading: str
    place: str
    signature: str
    text: str
    kind: Kind

    @property
    def is_private(self) -> bool:
        """Whether it describes something that its module keeps to itself."""
        return self.kind == "docstring" and any(
            part.startswith("_") and not part.startswith("__") for part in self.source.split(".")
        )


def cut(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Cut a text into pieces: (first line, last line, heading, piece), lines counted from 0.

    A piece ends at a heading or before it grows beyond `LONGEST`; code stays with the prose before it.
    """
    heading, start, end, block = "", 0, 0, list[str]()
    for number, paragraph in paragraphs(text):
        title = heading_of(paragraph)
        too_long = sum(map(len, block)) + len(paragraph) > LONGEST and not is_code(paragraph)
        if block and (title or too_long):
            yield start, end, heading, "\n\n".join(block)
            block = []
        if title:
            heading = title
            continue
        if not block:
            start = number
        block.append(paragraph)
        end = number + paragraph.count("\n")
    if block:
        yield start, end, heading, "\n\n".join(block)
