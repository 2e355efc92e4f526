"""The directive `benchmarks`: the newest record of every row that `make bench` has kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from benchmarks.report import newest, table, verdict

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from benchmarks.report import Record


class Benchmarks(SphinxDirective):
    """For each row: what is done, the figures, the targets, where and when it was measured."""

    def run(self) -> list[nodes.Node]:
        """The rows, by name."""
        self.env.note_reread()  # new results do not change the page's own text
        return [node for kept in newest() for node in _row(kept)]


def _row(kept: Record) -> list[nodes.Node]:
    targets = nodes.bullet_list()
    for target in kept["targets"]:
        targets += nodes.list_item("", nodes.paragraph("", verdict(target)))
    away = [
        nodes.paragraph("", f"{one['name']} did not run: {one['not_run']}.")
        for one in kept["contestants"]
        if "not_run" in one
    ]
    return [
        nodes.rubric("", kept["row"]),
        nodes.paragraph("", f"{kept['job'][0].upper()}{kept['job'][1:]}."),
        _table(table(kept)),
        *away,
        targets,
        nodes.paragraph("", "", nodes.emphasis("", _where(kept))),
    ]


def _table(lines: list[list[str]]) -> nodes.table:
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in lines[0]), cols=len(lines[0]))
    head, *body = [
        nodes.row("", *(nodes.entry("", nodes.paragraph("", cell)) for cell in line)) for line in lines
    ]
    group += nodes.thead("", head)
    group += nodes.tbody("", *body)
    return nodes.table("", group)


def _where(kept: Record) -> str:
    machine = kept["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in kept["versions"].items())
    taken = f"load {machine['load']} at the start, {kept['rounds']} rounds"
    return (
        f"{kept['at'][:10]}, commit {machine['commit']}, {machine['cpu']}, {machine['cores']} cores, "
        f"{taken}; Python {machine['python']}, {versions}."
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("benchmarks", Benchmarks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
