"""`loom doctor`: what is found here, and what to do."""

from __future__ import annotations

import os
from itertools import groupby
from typing import TYPE_CHECKING

import click

from loom.cli import console
from loom.cli.exits import Exit
from loom.cli.findings import Finding, bridge_kinds, settings_found, versions
from loom.cli.options import bridge_options, check_options, json_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loom.config import Settings
    from loom.endpoint import Endpoint

ANSWER_SECONDS = 5.0
SHOWN = 8


@click.command()
@bridge_options
@json_option
def command(bridge: str | None, namespace: str | None, as_json: bool) -> None:
    """Say what is found here, and what to do.

    Looks at the installation, the settings and where each came from, the bridges that could be started, and
    whether a bridge answers. Starts and changes nothing. Exit code 0: all is well; 1: something is wrong.

    \b
    Examples:
      loom doctor
      loom doctor --bridge bridge.example:50051
      loom doctor --json | jq '.findings[] | select(.level == "bad")'
    """
    check_options(bridge, namespace)
    tell(list(_look(bridge, namespace)), as_json=as_json)


def tell(findings: list[Finding], *, as_json: bool) -> None:
    """Tells what was found, and ends the command: exit code 1 where something is wrong."""
    well = all(finding.level != "bad" for finding in findings)
    if as_json:
        console.json_line({"ok": well, "findings": [finding.as_json() for finding in findings]}, pretty=True)
    else:
        _show(findings, well)
    click.get_current_context().exit(Exit.OK if well else Exit.FAILED)


def _look(bridge: str | None, namespace: str | None) -> Iterator[Finding]:
    from loom.config import Settings
    from loom.errors import ConfigError

    yield from versions()
    try:
        settings = Settings.load(address=bridge, namespace=namespace)
    except ConfigError as error:
        yield Finding("settings", "settings", "bad", error.message, "mend it; nothing else can be looked at")
        yield from bridge_kinds(os.environ)
        return
    yield from settings_found(settings, os.environ)
    yield from bridge_kinds(os.environ)
    yield from _bridge(settings)


def _bridge(settings: Settings) -> Iterator[Finding]:
    """The bridge that agents would use from here."""
    from loom.errors import ConfigError
    from loom.runtime.choose import find_running

    try:
        found = find_running(settings)
    except ConfigError as error:
        yield Finding("bridge", "local bridge", "bad", error.message)
        return
    if found is not None:
        yield from _ask(found.endpoint, named=settings.endpoint is not None)
    elif settings.local:
        yield Finding("bridge", "bridge", "note", "none runs: the first agent starts a local one")
    else:
        remedy = "set LOOM_BRIDGE_ADDR to its host:port, or bridge.address in loom.toml"
        yield Finding("bridge", "bridge", "bad", "none is named, and a local one may not be started", remedy)


def _ask(endpoint: Endpoint, *, named: bool) -> Iterator[Finding]:
    """What the bridge answers. A local one that is gone is no fault: the next agent starts another."""
    from loom.errors import BridgeUnavailable, LoomError
    from loom.sync import SyncClient

    try:
        with SyncClient(endpoint) as client:
            seconds = client.heartbeat(timeout=ANSWER_SECONDS)
            where = f"{endpoint.address} answers in {seconds * 1000:.1f} ms"
            yield Finding("bridge", "address", "good", where)
            about = client.server_info(timeout=ANSWER_SECONDS)
            which = f"{about.name} {about.version}, protocol {about.protocol}" if about else "it does not say"
            yield Finding("bridge", "bridge", "good", which)
            names = [each.name for each in client.list_capabilities(timeout=ANSWER_SECONDS)]
            yield Finding("bridge", "capabilities", "note", _names(names))
    except LoomError as error:
        if not isinstance(error, BridgeUnavailable):
            yield Finding("bridge", "address", "bad", error.message)
        elif named:
            remedy = "check the address, or start one there (`loom dev` starts one on this machine)"
            yield Finding("bridge", "address", "bad", f"no bridge answers at {endpoint.address}", remedy)
        else:
            gone = f"the local one at {endpoint.address} is gone: the next agent starts another"
            yield Finding("bridge", "address", "note", gone)


def _names(names: list[str]) -> str:
    if not names:
        return "none can be called now"
    different = sorted(set(names))
    more = f" and {len(different) - SHOWN} more" if len(different) > SHOWN else ""
    return f"{len(different)}: {', '.join(different[:SHOWN])}{more}"


def _show(findings: list[Finding], well: bool) -> None:
    width = max(len(finding.name) for finding in findings)
    for section, members in groupby(findings, lambda finding: finding.section):
        console.data(click.style(section, bold=True))
        for finding in members:
            console.data(f"  {console.mark(finding.level)} {finding.name.ljust(width)}  {finding.found}")
            if finding.remedy:
                console.data(f"    {' ' * width}  {click.style('→ ' + finding.remedy, fg='yellow')}")
        console.data("")
    wrong = sum(finding.level == "bad" for finding in findings)
    if well:
        console.data(f"{console.mark('good')} all is well")
    else:
        console.data(f"{console.mark('bad')} {wrong} thing{'' if wrong == 1 else 's'} to mend")
