"""The directive `state-diagram`: draws one of the engine's state tables as an SVG.

    ```{state-diagram} SESSION
    ```

The table is the one the engine runs on (`loom_testing.engine.states`). Colours are the theme's own
variables, so that the picture follows light and dark; a list of the transitions stands below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive

from _ext.drawing import draw
from loom_testing.engine import states

if TYPE_CHECKING:
    from sphinx.application import Sphinx

TABLES = {"SESSION": states.SESSION, "STREAM": states.STREAM, "CALL": states.CALL}


class StateDiagram(Directive):
    """Draws the table named by the argument."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, object]] = {}

    def run(self) -> list[nodes.Node]:
        """The picture and the table of its transitions."""
        name = self.arguments[0]
        if name not in TABLES:
            raise self.error(f"state-diagram: no table {name}; there are {', '.join(TABLES)}")
        edges = [(str(state), str(trigger), str(after)) for (state, trigger), after in TABLES[name].items()]
        picture = nodes.raw("", draw(name.lower(), edges), format="html")
        return [picture, _listing(edges)]


def _listing(edges: list[tuple[str, str, str]]) -> nodes.table:
    """The same as a table, for who reads text."""
    table = nodes.table(classes=["transitions"])
    group = nodes.tgroup(cols=3)
    table += group
    for _ in range(3):
        group += nodes.colspec(colwidth=1)
    head = nodes.thead()
    group += head
    head += _row(["in state", "on", "goes to"], literal=False)
    body = nodes.tbody()
    group += body
    for edge in edges:
        body += _row(list(edge), literal=True)
    return table


def _row(cells: list[str], *, literal: bool) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        entry = nodes.entry()
        paragraph = nodes.paragraph()
        paragraph += nodes.literal(cell, cell) if literal else nodes.Text(cell)
        entry += paragraph
        row += entry
    return row


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("state-diagram", StateDiagram)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
