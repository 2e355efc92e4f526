"""The directive `mutation`: what the kept full runs of `make mutants` found."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from scripts.mutants.record import Record, Survivor, read_record

if TYPE_CHECKING:
    from sphinx.application import Sphinx

KEPT = Path(__file__).resolve().parents[2] / "conformance" / "mutation"
NAMES = {"python": "Python, the fake bridge", "rust": "Rust, the real bridge"}
COLUMNS = ("killed", "timeout", "survived", "unviable")


class Mutation(SphinxDirective):
    """The two engines side by side, then each with its files and its survivors."""

    def run(self) -> list[nodes.Node]:
        """The records, in the order of the names above."""
        self.env.note_reread()  # new results do not change the page's own text
        records = [record for language in NAMES if (record := read_record(KEPT / f"{language}.json"))]
        return [_summary(records), *(self._section(record) for record in records)]

    def _section(self, record: Record) -> nodes.section:
        section = nodes.section(
            "", nodes.title("", NAMES[record.language]), ids=[f"{record.language}-mutants"]
        )
        section += nodes.paragraph("", _where(record))
        section += _files(record)
        section += _survivors(record.survivors)
        return section


def _summary(records: list[Record]) -> nodes.table:
    head = ["engine", "mutants", *COLUMNS, "answered", "noticed"]
    lines = [
        [
            NAMES[record.language],
            f"{sum(record.counts[column] for column in COLUMNS):,}",
            *(f"{record.counts[column]:,}" for column in (*COLUMNS, "answered")),
            f"{record.score:.1f} %",
        ]
        for record in records
    ]
    return _table(head, lines)


def _where(record: Record) -> str:
    hours, minutes = divmod(round(record.seconds / 60), 60)
    taken = f"{hours} h {minutes} min" if hours else f"{minutes} min"
    return f"{record.date}, commit {record.commit[:12]}; {record.tool}, {record.compiler}; {taken}."


def _files(record: Record) -> nodes.table:
    lines = [[name, *(str(counts[column]) for column in COLUMNS)] for name, counts in record.files.items()]
    return _table(["file", *COLUMNS], lines)


def _survivors(survivors: list[Survivor]) -> nodes.Element:
    """By file and reason, each reason once."""
    if not survivors:
        return nodes.paragraph("", "Nothing survived.")
    found = nodes.definition_list(classes=["mutants"])
    ordered = sorted(survivors, key=lambda one: (one.file, one.function, one.reason, one.line))
    for (file, function, reason), group in groupby(
        ordered, key=lambda one: (one.file, one.function, one.reason)
    ):
        changes = nodes.bullet_list()
        for one in group:
            changes += nodes.list_item(
                "", nodes.paragraph("", f"line {one.line}: ", nodes.literal("", one.change))
            )
        words = reason or "Not answered yet."
        found += nodes.definition_list_item(
            "",
            nodes.term("", "", nodes.literal("", function), nodes.Text(f" in {file}")),
            nodes.definition("", nodes.paragraph("", words), changes),
        )
    return found


def _table(head: list[str], lines: list[list[str]]) -> nodes.table:
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in head), cols=len(head))
    first, *body = [
        nodes.row("", *(nodes.entry("", nodes.paragraph("", cell)) for cell in line))
        for line in (head, *lines)
    ]
    group += nodes.thead("", first)
    group += nodes.tbody("", *body)
    return nodes.table("", group)


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("mutation", Mutation)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
