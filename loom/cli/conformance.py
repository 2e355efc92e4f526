"""`loom conformance`: judges a bridge, any bridge, by the protocol's clauses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loom.cli import console
from loom.cli.exits import Exit, Failure, loom_errors, told_as_json
from loom.cli.options import json_option

if TYPE_CHECKING:
    from loom.endpoint import TLS
    from loom_conformance.clauses import Clause
    from loom_conformance.registry import Check
    from loom_conformance.result import RunResult
    from loom_conformance.run import Order
    from loom_conformance.targets import Choice

LEVELS = ("MUST", "SHOULD", "MAY")
PROFILES = ("base", "full")
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)

select_option = click.option(
    "--select",
    "-s",
    "words",
    multiple=True,
    metavar="CLAUSES",
    help="Only these: an area (PUB), a group (PUB-3) or a clause (PUB-3.1). May be repeated.",
)
level_option = click.option(
    "--level",
    type=click.Choice(LEVELS, case_sensitive=False),
    metavar="[MUST|SHOULD|MAY]",
    default="MAY",
    show_default=True,
    help="Only clauses of this level or a stronger one.",
)
target_option = click.option(
    "--target",
    "-t",
    "asked",
    default="fake",
    show_default=True,
    metavar="TARGET",
    help="The bridge: fake, rust, docker, HOST:PORT, or a command that prints `listening on HOST:PORT`.",
)


@click.group(invoke_without_command=True)
@target_option
@select_option
@level_option
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default="full",
    show_default=True,
    help="What is demanded: the base level, or all of it. What a bridge declares is judged in any case.",
)
@click.option("--known-failures", type=FILE, metavar="FILE", help="TOML: what is known to fail, and why.")
@click.option("--known-flaky", type=FILE, metavar="FILE", help="TOML: what may fail or pass, and why.")
@click.option(
    "--report",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write result.json, index.html, summary.md, junit.xml and badge.svg there.",
)
@click.option(
    "--jobs", "-n", type=click.IntRange(1, 64), default=8, show_default=True, help="Checks side by side."
)
@click.option("--tls", is_flag=True, help="Speak TLS to the target.")
@click.option("--tls-ca", type=FILE, metavar="FILE", help="PEM: the certificates to trust. Implies --tls.")
@click.option("--tls-certificate", type=FILE, metavar="FILE", help="PEM: our certificate, for mutual TLS.")
@click.option("--tls-key", type=FILE, metavar="FILE", help="PEM: its private key.")
@json_option
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Judge a bridge by the protocol's clauses.

    Tries every clause over the wire. A bridge, in whatever language, is judged by what it declares; one that
    the suite starts itself is started for testing. A bearer token is taken from LOOM_TOKEN.

    \b
    Exit codes:
      0  it conforms
      1  it does not; or the run judged too little, or a list of what is known is stale
      2  the command line or a file is malformed, or selects nothing
      3  it could not be tested: no bridge answers, or the run itself is broken

    \b
    Examples:
      loom conformance                                       the fake bridge
      loom conformance --target 127.0.0.1:50051 --report out
      loom conformance --target './my-bridge --port 0' --profile base
      loom conformance --select PUB-3 --select HB
      loom conformance explain PUB-3
    """
    if ctx.invoked_subcommand is None:
        with told_as_json(options["as_json"]):
            _judge(**options)


@command.command("list")
@select_option
@level_option
@json_option
def list_clauses(words: tuple[str, ...], level: str, as_json: bool) -> None:
    """List the clauses.

    \b
    Examples:
      loom conformance list
      loom conformance list --select SES --level MUST
    """
    with told_as_json(as_json):
        from loom_conformance import listing

        clauses, checks = _suite()
        selected = _select(clauses, words, level)
        if as_json:
            console.json_line(listing.as_json(selected, checks), pretty=True)
        else:
            console.data(listing.table(selected, checks))


@command.command()
@click.argument("words", nargs=-1, required=True, metavar="CLAUSES...")
@json_option
def explain(words: tuple[str, ...], as_json: bool) -> None:
    """Say what clauses demand, why, and how they are tried.

    \b
    Examples:
      loom conformance explain PUB-3
      loom conformance explain HB SES-1.2
    """
    with told_as_json(as_json):
        from loom_conformance import listing

        clauses, checks = _suite()
        selected = _select(clauses, words, "MAY")
        if as_json:
            console.json_line(listing.as_json(selected, checks), pretty=True)
        else:
            console.data(listing.explained(selected, checks))


@command.command()
@target_option
@json_option
def doctor(asked: str, as_json: bool) -> None:
    """Say whether the suite is whole, and what could be judged here.

    Exit code 0: all is well; 1: something is wrong.

    \b
    Examples:
      loom conformance doctor
      loom conformance doctor --target 127.0.0.1:50051
    """
    from loom.cli.doctor import tell

    with told_as_json(as_json):
        from loom_conformance.diagnosis import diagnose

        tell(list(diagnose(_choice(asked, None))), as_json=as_json)


@command.command()
@click.argument("file", type=FILE, metavar="RESULT")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where to write; by default where the result is.",
)
@json_option
def report(file: Path, folder: Path | None, as_json: bool) -> None:
    """Draw the reports again from a JSON result.

    \b
    Examples:
      loom conformance report out/result.json
    """
    with told_as_json(as_json):
        from loom_conformance.document import DocumentError, load

        try:
            result = load(file.read_text(encoding="utf-8"), str(file))
        except (DocumentError, OSError, UnicodeDecodeError) as error:
            raise Failure(str(error), Exit.USAGE) from None
        written = _write(result, folder or file.parent)
        if as_json:
            console.json_line({"written": [str(path) for path in written]})
        else:
            for path in written:
                console.data(str(path))


# A run.


def _judge(*, folder: Path | None, as_json: bool, **options: Any) -> None:
    from loom_conformance.report import terminal

    order = _order(**options)
    if folder is not None:
        _check_folder(folder)
    result = _carry_out(order, quiet=as_json)
    if folder is not None:
        for path in _write(result, folder):
            console.say(f"{console.mark('note')} wrote {path}")
    if as_json:
        from loom_conformance.document import dump

        console.data(dump(result).rstrip())
    else:
        console.data(terminal.draw(result))
    click.get_current_context().exit(_exit_code(result))


def _order(
    *,
    asked: str,
    words: tuple[str, ...],
    level: str,
    profile: str,
    known_failures: Path | None,
    known_flaky: Path | None,
    jobs: int,
    **tls: Any,
) -> Order:
    """What the command line asks for.

    Raises:
        Failure: it is malformed, or selects nothing.
    """
    from loom_conformance.known import KnownError, Lists
    from loom_conformance.run import Order

    clauses, checks = _suite()
    try:
        known = Lists.load(known_failures, known_flaky)
    except KnownError as error:
        raise Failure(str(error), Exit.USAGE) from None
    return Order(
        choice=_choice(asked, _tls(**tls)),
        clauses=clauses,
        checks=checks,
        selected=_select(clauses, words, level),
        words=[word.upper() for word in words],
        profile=profile,
        level=level,
        known=known,
        jobs=jobs,
    )


def _carry_out(order: Order, *, quiet: bool) -> RunResult:
    import asyncio

    from loom_conformance.declared import Unreachable
    from loom_conformance.progress import Progress
    from loom_conformance.run import Watcher, carry_out
    from loom_conformance.targets import TargetError

    problem = order.choice.missing()
    if problem:
        raise Failure(f"{order.choice.asked}: {problem}", Exit.NO_BRIDGE)
    try:
        return asyncio.run(carry_out(order, Watcher() if quiet else Progress()))
    except (TargetError, Unreachable) as error:
        raise Failure(f"could not test {order.choice.asked}: {error}", Exit.NO_BRIDGE) from None


def _suite() -> tuple[list[Clause], list[Check]]:
    """Every clause and every check.

    Raises:
        Failure: the suite itself is broken.
    """
    from loom_conformance import clauses, registry

    try:
        return clauses.load(), registry.load()
    except clauses.ClausesError as error:
        raise Failure(str(error), Exit.NO_BRIDGE) from None


def _select(clauses: list[Clause], words: tuple[str, ...], level: str) -> list[Clause]:
    from loom_conformance.selection import EmptySelectionError, select

    try:
        return select(clauses, words, level)
    except EmptySelectionError as error:
        raise Failure(str(error), Exit.USAGE) from None


def _choice(asked: str, tls: TLS | None) -> Choice:
    import os

    from loom_conformance.targets import TargetError, choose

    try:
        return choose(asked, token=os.environ.get("LOOM_TOKEN", ""), tls=tls)
    except TargetError as error:
        raise Failure(str(error), Exit.USAGE) from None


def _tls(*, tls: bool, tls_ca: Path | None, tls_certificate: Path | None, tls_key: Path | None) -> TLS | None:
    from loom.endpoint import TLS

    if not (tls or tls_ca or tls_certificate or tls_key):
        return None
    with loom_errors():
        return TLS(ca=tls_ca, certificate=tls_certificate, key=tls_key)


def _exit_code(result: RunResult) -> Exit:
    from loom_conformance.result import Verdict

    return {Verdict.CONFORMS: Exit.OK, Verdict.FAILS: Exit.FAILED, Verdict.UNTESTED: Exit.NO_BRIDGE}[
        result.verdict
    ]


def _check_folder(folder: Path) -> None:
    """Before the run, not after it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"--report {folder}: {error.strerror}", Exit.USAGE) from None


def _write(result: RunResult, folder: Path) -> list[Path]:
    from loom_conformance.report import write

    try:
        return write(result, folder)
    except OSError as error:
        raise Failure(f"cannot write into {folder}: {error.strerror}") from None
