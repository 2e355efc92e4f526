"""The directive `fidelity`: what the fuzzer's published runs came to, and what they do not compare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PUBLISHED = Path(__file__).resolve().parents[2] / "conformance" / "fidelity.json"
NAMES = {"engine": "engine to engine, in memory", "grpc": "bridge to bridge, over gRPC"}
VERSIONS = ("loom-py", "loom-bridge", "grpcio", "protobuf", "hypothesis")

Published = dict[str, Any]


class Fidelity(SphinxDirective):
    """The lanes side by side; with the option `list`, what is not compared as it is or not played."""

    option_spec = {"list": str}  # noqa: RUF012 - docutils declares it so

    def run(self) -> list[nodes.Node]:
        """The table, or one of the lists."""
        self.env.note_reread()  # new results do not change the page's own text
        published: Published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
        which = self.options.get("list")
        if which:
            return [reasons(published[which])]
        return [lanes(published), *(paragraph(line) for line in circumstances(published))]


def lanes(published: Published) -> nodes.table:
    """A line for each lane."""
    head = ["lane", "operations", "cases", "differences", "seeds", "date"]
    lines = [
        [
            NAMES[name],
            f"{lane['operations']:,}",
            f"{lane['cases']:,}",
            str(lane["divergences"]),
            seeds(lane["seeds"]),
            lane["at"][:10],
        ]
        for name, lane in sorted(published["lanes"].items())
    ]
    return _table(head, lines)


def seeds(of: dict[str, int]) -> str:
    """The first and the last round's seed."""
    first, last = of["first"], of["first"] + of["rounds"] - 1
    return str(first) if first == last else f"{first} to {last}"


def circumstances(published: Published) -> list[str]:
    """Where each lane was run, and on what."""
    lines = []
    for name, lane in sorted(published["lanes"].items()):
        machine, versions = lane["machine"], lane["versions"]
        shown = ", ".join(f"{one} {versions[one]}" for one in VERSIONS if one in versions)
        where = f"commit {machine['commit']}, {machine['cpu']}, {machine['cores']} cores"
        speed = lane["operations"] / lane["seconds"]
        lines.append(
            f"{NAMES[name][0].upper()}{NAMES[name][1:]}: {where}, load {machine['load']}, {speed:,.0f} "
            f"operations a second; Python {machine['python']}, {shown}."
        )
    kept = published["kept_cases"]
    lines.append(f"Kept cases that once showed a difference, and are played first in every run: {kept}.")
    return lines


def reasons(items: list[dict[str, str]]) -> nodes.definition_list:
    """Each thing with its reason."""
    found = nodes.definition_list()
    for item in items:
        term = nodes.term("", item["what"][0].upper() + item["what"][1:])
        why = paragraph(f"{item['why'][0].upper()}{item['why'][1:]}.")
        found += nodes.definition_list_item("", term, nodes.definition("", why))
    return found


def paragraph(text: str) -> nodes.paragraph:
    """A paragraph of plain words."""
    return nodes.paragraph("", text)


def _table(head: list[str], lines: list[list[str]]) -> nodes.table:
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in head), cols=len(head))
    first, *body = [
        nodes.row("", *(nodes.entry("", paragraph(cell)) for cell in line)) for line in (head, *lines)
    ]
    group += nodes.thead("", first)
    group += nodes.tbody("", *body)
    return nodes.table("", group)


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("fidelity", Fidelity)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
