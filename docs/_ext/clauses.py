"""The protocol, clause by clause, from `conformance/clauses.toml`: nothing normative is written by hand.

    ```{clause-index}
    ```

    ```{clauses} PUB
    ```

`clause-index` is a table of all of them, in which `#pub-3.1` is a place to link to. `clauses` is one area:
each clause with its reason, how the suite tries it, and the bugs that its checks are known to catch.
"""

from __future__ import annotations

import json
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from loom_conformance import registry
from loom_conformance.clauses import AREAS, find, load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sphinx.application import Sphinx

    from loom_conformance.clauses import Clause
    from loom_conformance.registry import Check

PAGES = {area: f"clauses-{area.lower()}" for area in AREAS}
"""The page of each area, beside the index."""

MATRIX = find().with_name("mutants") / "matrix.json"


class ClauseIndex(SphinxDirective):
    """A table of all clauses, area by area, with a link to where each is explained."""

    def run(self) -> list[nodes.Node]:
        """One section for each area."""
        self.env.note_dependency(str(find()))
        sections: list[nodes.Node] = []
        for area, members in groupby(load(), lambda clause: clause.area):
            section = nodes.section(ids=[area.lower()], names=[])
            section += nodes.title("", f"{area}: {AREAS[area]}")
            section += _index_table(area, list(members))
            sections.append(section)
        return sections


class Clauses(SphinxDirective):
    """The clauses of the area that is named."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """A section for each group, its clauses in it."""
        area = self.arguments[0]
        if area not in AREAS:
            raise self.error(f"clauses: no area {area}; there are {', '.join(AREAS)}")
        self.env.note_dependency(str(find()))
        self.env.note_reread()  # the checks and what they catch are not in this file
        members = [clause for clause in load() if clause.area == area]
        sections: list[nodes.Node] = []
        for group, clauses in groupby(members, lambda clause: clause.group):
            section = nodes.section(ids=[group.lower()], names=[])
            section += nodes.title("", group)
            for clause in clauses:
                section += _clause(clause)
            sections.append(section)
        return sections


def _index_table(area: str, clauses: Sequence[Clause]) -> nodes.table:
    group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in (12, 10, 78)), cols=3)
    head = [nodes.entry("", nodes.paragraph("", word)) for word in ("clause", "level", "what it says")]
    group += nodes.thead("", nodes.row("", *head))
    body = nodes.tbody()
    seen: set[str] = set()
    for clause in clauses:
        name = clause.id.lower()
        # A group's number, as the code cites it, leads to its first clause.
        ids = [name] if clause.group in seen else [clause.group.lower(), name]
        seen.add(clause.group)
        link = nodes.reference("", clause.id, refuri=f"{PAGES[area]}.html#{name}", internal=True)
        row = nodes.row()
        row += nodes.entry("", nodes.paragraph("", "", link, ids=ids))
        row += nodes.entry("", nodes.paragraph("", "planned" if clause.planned else clause.level))
        row += nodes.entry("", prose(clause.text))
        body += row
    group += body
    return nodes.table("", group, classes=["clause-index"])


def _clause(clause: Clause) -> nodes.container:
    """One clause, whole."""
    name = clause.id.lower()
    box = nodes.container(ids=[name], classes=["clause", *(["planned"] if clause.planned else [])])
    head = nodes.paragraph(classes=["clause-head"])
    head += nodes.reference("", clause.id, refuri=f"#{name}", classes=["clause-id"])
    head += nodes.inline("", clause.level, classes=["clause-chip"])
    if clause.feature:
        head += nodes.inline("", f"with {clause.feature}", classes=["clause-chip"])
    if clause.planned:
        head += nodes.inline("", "planned", classes=["clause-chip", "clause-planned"])
    box += head
    box += prose(clause.text, "clause-text")
    box += prose(clause.reason, "clause-reason")
    box += list(_proof(clause))
    return box


def _proof(clause: Clause) -> Iterator[nodes.Node]:
    """How it is tried, and which bugs that catches; folded away."""
    checks, mutants = _checks(clause), _mutants().get(clause.id, [])
    if not checks:
        return
    number = f"{len(checks)} check{'s' if len(checks) > 1 else ''}"
    yield nodes.raw("", f'<details class="clause-proof"><summary>{number}</summary>', format="html")
    tried = nodes.bullet_list()
    for check in checks:
        tried += nodes.list_item("", prose(check.summary))
    yield tried
    if mutants:
        yield nodes.paragraph("", "Caught, when planted into the fake bridge:")
        caught = nodes.bullet_list()
        for mutant in mutants:
            caught += nodes.list_item("", prose(f"{mutant['why'][:1].upper()}{mutant['why'][1:]}."))
        yield caught
    yield nodes.raw("", "</details>", format="html")


def prose(text: str, style: str = "") -> nodes.paragraph:
    """A paragraph in which what stands between backticks is code."""
    paragraph = nodes.paragraph(classes=[style] if style else [])
    for number, part in enumerate(text.split("`")):
        paragraph += nodes.literal(part, part) if number % 2 else nodes.Text(part)
    return paragraph


@cache
def _all_checks() -> list[Check]:
    return registry.load()


def _checks(clause: Clause) -> list[Check]:
    return [check for check in _all_checks() if check.clause == clause.id]


@cache
def _mutants() -> dict[str, list[dict[str, Any]]]:
    """The bugs that are known to be caught, by clause."""
    if not MATRIX.is_file():
        return {}
    found: dict[str, list[dict[str, Any]]] = {}
    for mutant in json.loads(MATRIX.read_text(encoding="utf-8"))["mutants"]:
        if mutant["killed"]:
            found.setdefault(mutant["clause"], []).append(mutant)
    return found


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directives."""
    app.add_directive("clause-index", ClauseIndex)
    app.add_directive("clauses", Clauses)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
