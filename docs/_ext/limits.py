"""The directive `limits`: the bridge's limits and their defaults, from the engine's own table."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from docutils import nodes
from docutils.parsers.rst import Directive

from loom_testing.engine.limits import Limits

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class LimitsList(Directive):
    """A bullet list: name and default."""

    def run(self) -> list[nodes.Node]:
        """The list, in the table's own order."""
        items = nodes.bullet_list()
        for field in fields(Limits):
            line = nodes.paragraph("", "", nodes.literal("", field.name), nodes.Text(f": {field.default:,}"))
            items += nodes.list_item("", line)
        return [items]


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("limits", LimitsList)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
