"""Lets autodoc read docstrings as this project writes them: plain text, not reStructuredText.

An indented block after a blank line is shown as it is; a fence of three backticks is code, and so is what
stands between single ones.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["translate"]

FENCE = re.compile(r"(?P<indent> *)```(?P<language>\w*)$")
CODE = re.compile(r"(?<![`:\w])`(?P<code>[^`\n]+)`(?!`)")
SECTIONS = ("Args:", "Attributes:", "Raises:", "Returns:", "Yields:")


def translate(lines: list[str]) -> list[str]:
    """The docstring's lines as reStructuredText."""
    return [CODE.sub(r"``\g<code>``", line) for line in _literal_blocks(_fences(lines))]


def _fences(lines: list[str]) -> list[str]:
    out: list[str] = []
    inside = False
    for line in lines:
        match = FENCE.match(line)
        if match is None:
            out.append(f"   {line}" if inside and line else line)
        elif inside:
            inside = False
            out.append("")
        else:
            inside = True
            out += ["", f"{match['indent']}.. code-block:: {match['language'] or 'text'}", ""]
    return out


def _literal_blocks(lines: list[str]) -> list[str]:
    """Puts `::` before each indented block that stands alone."""
    out: list[str] = []
    outside = ""  # the last line that no block or section holds
    inside = False
    for number, line in enumerate(lines):
        deeper = _indent(line) > _indent(outside)
        alone = number > 0 and not lines[number - 1].strip()
        if line.strip() and deeper and alone and not inside and not _holds_what_follows(outside):
            out += [" " * _indent(outside) + "::", ""]
        if line.strip():
            inside = deeper
            outside = outside if deeper else line
        out.append(line)
    return out


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _holds_what_follows(line: str) -> bool:
    """Whether what is indented below the line belongs to it: a directive, a list's item, a section."""
    return line.lstrip().startswith((".. ", "* ", "- ")) or line.rstrip().endswith("::") or line in SECTIONS


def _process(app: object, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    if what in {"property", "attribute"} and lines:
        # napoleon takes what stands before a colon in the first line for a type, unless the line ends there.
        lines[:1] = re.split(r"(?<=:) ", lines[0], maxsplit=1)
    lines[:] = translate(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    """Comes before napoleon, which turns sections such as Args into fields."""
    app.connect("autodoc-process-docstring", _process, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
