"""The reports of a run, all drawn from its JSON and nothing else.

result.json   the result (its schema: `loom_conformance/result.schema.json`)
index.html    one page for people, needing nothing beside it
summary.md    the same in short, for a pull request or a job's summary
junit.xml     for CI
badge.svg     for a README
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom_conformance import document
from loom_conformance.report import badge, html, junit, markdown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from loom_conformance.result import RunResult

__all__ = ["FILES", "write"]

FILES: dict[str, Callable[[RunResult], str]] = {
    "result.json": document.dump,
    "index.html": html.draw,
    "summary.md": markdown.draw,
    "junit.xml": junit.draw,
    "badge.svg": badge.draw,
}
"""Each report's name, and what draws it."""


def write(result: RunResult, folder: Path) -> list[Path]:
    """Writes every report into a folder, which is made where it is missing.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, draw in FILES.items():
        path = folder / name
        path.write_text(draw(result), encoding="utf-8")
        written.append(path)
    return written
