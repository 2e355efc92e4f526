"""`loom proto`: the wire's .proto files, and the code generated from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from loom.cli import console
from loom.cli.exits import Exit, Failure, loom_errors
from loom.cli.options import json_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom.protogen import Drift


@click.command()
@click.option("--check", "only_check", is_flag=True, help="Change nothing; fail where code is out of date.")
@click.option(
    "--export",
    "export_to",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the .proto files there, for clients in other languages.",
)
@json_option
def command(only_check: bool, export_to: Path | None, as_json: bool) -> None:
    """Regenerate, check or export the wire's .proto files.

    In a checkout of Loom it regenerates the Python code of loom/v1 and its neighbours. Anywhere else it can
    export the .proto files.

    \b
    Examples:
      loom proto                 in a checkout: regenerate
      loom proto --check         in a checkout: say whether that is needed (exit code 1)
      loom proto --export wire   wire/loom/v1/*.proto
    """
    if only_check and export_to is not None:
        raise Failure("--check and --export do different things; give one of them", Exit.USAGE)
    if export_to is not None:
        _export(export_to, as_json=as_json)
    else:
        _regenerate(only_check=only_check, as_json=as_json)


def _export(target: Path, *, as_json: bool) -> None:
    from loom import protogen

    with loom_errors():
        written = protogen.export(target)
    if as_json:
        console.json_line({"written": [str(path) for path in written]})
        return
    for path in written:
        console.data(str(path))


def _regenerate(*, only_check: bool, as_json: bool) -> None:
    from loom import protogen

    with loom_errors():
        work = protogen.check if only_check else protogen.regenerate
        drifts = work(protogen.checkout(), lambda line: console.say(f"  {line}"))
    tell(drifts, only_check=only_check, as_json=as_json)


def tell(drifts: Sequence[Drift], *, only_check: bool, as_json: bool) -> None:
    """Says what was not as it should be, and what was done about it.

    Raises:
        Failure: nothing was to be done, and something is out of date.
    """
    if as_json:
        console.json_line({"drift": [{"path": drift.path, "kind": drift.kind} for drift in drifts]})
    for drift in drifts:
        console.say(f"  {console.mark('warn')} {drift.path} {_words(drift.kind, only_check)}")
    if only_check and drifts:
        raise Failure("the generated code is out of date; run `loom proto` and commit what it writes")
    console.say(f"  {console.mark('good')} the generated code is up to date")


def _words(kind: str, only_check: bool) -> str:
    if only_check:
        return {"missing": "is missing", "changed": "is out of date", "stale": "belongs to no .proto file"}[
            kind
        ]
    return {"missing": "written", "changed": "written anew", "stale": "removed"}[kind]
