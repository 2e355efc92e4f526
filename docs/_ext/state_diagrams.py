"""The directive `state-diagram`: draws one of the engine's state tables as an SVG.

    ```{state-diagram} SESSION
    :picture-only:
    ```

The table is the one the engine runs on (`loom_testing.engine.states`). Colours are the theme's own
variables, so that the picture follows light and dark; a list of the transitions stands below it, unless only
the picture is wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives

from docs._ext.drawing import draw
from loom_testing.engine import states

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# Each table as (state, trigger, next state), in its own order.
TABLES: dict[str, list[tuple[str, str, str]]] = {
    "SESSION": [(state, trigger, after) for (state, trigger), after in states.SESSION.items()],
    "STREAM": [(state, trigger, after) for (state, trigger), after in states.STREAM.items()],
    "CALL": [(state, trigger, after) for (state, trigger), after in states.CALL.items()],
}


class StateDiagram(Directive):
    """Draws the table named by the argument."""

    required_arguments = 1
    option_spec: ClassVar = {"picture-only": directives.flag}

    def run(self) -> list[nodes.Node]:
        """The picture and the table of its transitions."""
        name = self.arguments[0]
        if name not in TABLES:
            raise self.error(f"state-diagram: no table {name}; there are {', '.join(TABLES)}")
        picture = nodes.raw("", draw(name.lower(), TABLES[name]), format="html")
        return [picture] if "picture-only" in self.options else [picture, _listing(TABLES[name])]


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
