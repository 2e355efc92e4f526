"""How a section of the report is told. By default as it was found; a language model may be put here instead.

No language model is used unless one is named: `--narrator package.module:factory`, where the factory takes
nothing and returns a `Narrator`.
"""

from __future__ import annotations

import pkgutil
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from examples.research.text import is_python

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Extractive", "Narrator", "Statement", "load", "uncited"]

_CITATION = re.compile(r"\[(\d+)\]")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LONGEST_NAME = 110


@dataclass(frozen=True, slots=True)
class Statement:
    """One quote of a section, with the number of its source.

    Attributes:
        number: of the source in the report's list.
        name: what is described, as code; empty for running text.
        where: the heading or file it stands under.
        text: the quote, as Markdown.
        example: code, as it stands; empty where there is none.
    """

    number: int
    name: str
    where: str
    text: str
    example: str


class Narrator(Protocol):
    """Turns the statements of one section into Markdown. Every paragraph must cite one of them."""

    @property
    def name(self) -> str:
        """What the report calls it."""
        ...

    async def tell(self, question: str, title: str, statements: Sequence[Statement]) -> str:
        """The section's text, without its heading. Every paragraph cites its statements as `[number]`.

        Raises:
            Exception: anything; the section is then told by `Extractive`.
        """
        ...


class Extractive:
    """Tells a section by its quotes alone, each with its name, its source and its example."""

    name = "quotes only, word for word"

    async def tell(self, question: str, title: str, statements: Sequence[Statement]) -> str:
        """The quotes one after the other. It awaits nothing and cannot fail."""
        return "\n\n".join(self._told(statement) for statement in statements)

    def _told(self, statement: Statement) -> str:
        head = f"**`{_short(statement.name)}`**" if statement.name else f"**{statement.where}**"
        parts = [f"{head} [{statement.number}]", f"{statement.text} [{statement.number}]"]
        if statement.example:
            language = _language(statement.example)
            fenced = statement.example.startswith(("```", "~~~"))
            parts.append(statement.example if fenced else f"```{language}\n{statement.example}\n```")
        return "\n\n".join(parts)


def load(place: str) -> Narrator:
    """The narrator that `package.module:factory` makes; an empty place is `Extractive`.

    Raises:
        ValueError: there is no such factory.
        TypeError: what it made cannot tell anything.
    """
    if not place:
        return Extractive()
    try:
        made: Narrator = pkgutil.resolve_name(place)()
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"no narrator at {place!r} ({error}); name it as package.module:factory") from error
    if not callable(getattr(made, "tell", None)):
        raise TypeError(f"{place!r} made a {type(made).__name__}, which has no `tell`; it must be a Narrator")
    return made


def uncited(text: str, statements: Sequence[Statement]) -> list[str]:
    """The paragraphs that cite nothing, or a source that was not given; code need not cite."""
    known = {statement.number for statement in statements}
    wrong: list[str] = []
    for paragraph in _FENCE.sub("", text).split("\n\n"):
        cited = {int(number) for number in _CITATION.findall(paragraph)}
        if paragraph.strip() and (not cited or not cited <= known):
            wrong.append(paragraph.strip())
    return wrong


def _language(example: str) -> str:
    if example.startswith(">>>"):
        return "pycon"
    return "python" if is_python(example) else "text"


def _short(name: str) -> str:
    name = " ".join(name.split())
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 2].rsplit(',', 1)[0]}, …)"
