"""Looks into the built documentation: everything that is public is there, and every link leads somewhere.

python -m scripts.check_docs docs/_build/html
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import loom
import loom_testing
from loom.cli import main as cli
from loom.codes import Code
from loom_conformance.clauses import Clause, load
from loom_testing.engine.states import CallState, SessionState, StreamState

__all__ = ["main"]


class _Page(HTMLParser):
    """The ids of a page, and where its links lead."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes what the tag is called and what it links to."""
        given = dict(attrs)
        for name in ("id", "name"):
            if given.get(name):
                self.ids.add(given[name] or "")
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")


def missing_names(root: Path) -> list[str]:
    """What should be on a page and is not."""
    clauses = load()
    wanted: dict[str, list[str]] = {
        "reference.html": [f'id="loom.{name}"' for name in loom.__all__ if name != "__version__"]
        + [f'id="loom_testing.{name}"' for name in loom_testing.__all__],
        "errors.html": [f">{code.value}<" for code in Code],
        "cli.html": [f'id="loom-{name}"' for name in cli.entries],
        "protocol/clauses.html": [f'id="{name}"' for clause in clauses for name in _places(clause)],
        "protocol/states.html": [f">{state.value}<" for kind in _STATES for state in kind],
    }
    for clause in clauses:
        wanted.setdefault(f"protocol/clauses-{clause.area.lower()}.html", []).append(
            f'id="{clause.id.lower()}"'
        )
    return [
        f"{page} lacks {name}"
        for page, names in wanted.items()
        for name in names
        if name not in (root / page).read_text(encoding="utf-8")
    ]


def _places(clause: Clause) -> tuple[str, str]:
    """What may be linked to: the clause, and its group as the code cites it."""
    return clause.id.lower(), clause.group.lower()


_STATES: tuple[type[SessionState] | type[StreamState] | type[CallState], ...] = (
    SessionState,
    StreamState,
    CallState,
)


def broken_links(root: Path) -> list[str]:
    """Links within the documentation that lead nowhere."""
    pages = {path.resolve(): _Page(path) for path in sorted(root.rglob("*.html"))}
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = target in pages
            if (known and parts.fragment and unquote(parts.fragment) not in pages[target].ids) or not (
                known or target.exists()
            ):
                broken.append(f"{path.relative_to(root.resolve())} links to {link}")
    return broken


def main(arguments: list[str]) -> int:
    """Prints what is missing or broken; 1 where anything is."""
    root = Path(arguments[0])
    problems = missing_names(root) + broken_links(root)
    for problem in problems:
        print(problem)  # noqa: T201  # a command's output
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
