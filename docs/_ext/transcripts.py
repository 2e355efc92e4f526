"""The directive `transcript`: draws a transcript kept beside the pages as a sequence diagram.

```{transcript} order.jsonl
```
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from loom_testing.transcript import draw, load

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = Path(__file__).parents[1] / "_transcripts"


class TranscriptDiagram(SphinxDirective):
    """Draws the file named by the argument."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The picture, which follows the theme's light and dark."""
        file = FOLDER / self.arguments[0]
        self.env.note_dependency(str(file))
        return [nodes.raw("", picture(file), format="html")]


def picture(file: Path) -> str:
    """The diagram of a transcript, to stand in a page."""
    return f'<div class="transcript-frame">{draw(load(file), "svg")}</div>'


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("transcript", TranscriptDiagram)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
