"""The directive `error-codes`: the table of `loom.codes`, one entry for each code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from docutils.parsers.rst import Directive

from loom.codes import CODES, Code, CodeInfo

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class ErrorCodes(Directive):
    """A definition list: the code; what happened, what to do, whether to try again."""

    def run(self) -> list[nodes.Node]:
        """The list, in the table's own order."""
        entries = nodes.definition_list(classes=["error-codes"])
        for code, info in CODES.items():
            entries += _entry(code, info)
        return [entries]


def _entry(code: Code, info: CodeInfo) -> nodes.definition_list_item:
    item = nodes.definition_list_item(ids=[f"code-{code.value.lower().replace('_', '-')}"])
    item += nodes.term("", "", nodes.literal("", code.value))
    retry = "The same request may succeed later. " if info.retry else ""
    where = f"({info.clause})" if info.clause else ""
    item += nodes.definition("", _sentence(info.meaning), _sentence(f"{info.remedy} {retry}{where}".strip()))
    return item


def _sentence(text: str) -> nodes.paragraph:
    """A paragraph in which what stands between backticks is code."""
    paragraph = nodes.paragraph()
    for number, part in enumerate(text.split("`")):
        paragraph += nodes.literal("", part) if number % 2 else nodes.Text(part)
    return paragraph


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("error-codes", ErrorCodes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
