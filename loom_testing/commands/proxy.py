"""`loom-testing proxy`: stands in front of a bridge, and has things go wrong there."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loom.cli.console import say
from loom.cli.exits import Exit, Failure
from loom_testing.commands.listening import listening_options
from loom_testing.commands.output import (
    check_place,
    made_redaction,
    output_type,
    redaction_options,
    write,
)
from loom_testing.signals import noted_signals

if TYPE_CHECKING:
    from loom_testing.faults import Script

__all__ = ["command"]


@click.command("proxy", short_help="Stand in front of a bridge, and inject faults.")
@click.option("--target", required=True, metavar="HOST:PORT", help="The bridge.")
@click.option(
    "--faults",
    "script",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What goes wrong, as TOML; nothing unless given.",
)
@click.option(
    "--seed", metavar="NUMBER|random", help="Of what is left to chance.  [default: the file's, else 0]"
)
@listening_options
@click.option(
    "--record", "output", type=output_type, metavar="FILE", help="Write a transcript there at the end."
)
@redaction_options
@click.option("--json", "as_json", is_flag=True, help="Say the address, and at the end what fired, as JSON.")
def command(
    target: str,
    script: Path | None,
    seed: str | None,
    host: str,
    port: int,
    output: Path | None,
    keys: tuple[str, ...],
    values: tuple[str, ...],
    as_json: bool,
) -> None:
    """Stand in front of a bridge, and inject faults.

    Agents connect to the proxy instead: its address is the first line on stdout. Messages cross it as they
    are, but for what FILE says. Each fault says what it does, and about which messages:

    \b
      seed = 7
      [[fault]]
      do = "drop"              # delay duplicate reorder corrupt disconnect stall slow refuse fail
      topic = "order.*"        # agent direction kind type capability rpc nth
      times = 2                # probability optional

    \b
    Examples:
      loom-testing proxy --target 127.0.0.1:50051 --port 50052 --faults faults.toml &
      LOOM_BRIDGE_ADDR=127.0.0.1:50052 loom run agents.py

    \b
    Exit codes:
      0    stopped as told, by Ctrl-C or SIGTERM
      1    a fault that is not optional never fired, or the transcript cannot be written
      2    FILE, an option or the address is malformed, or the port is in use
      3    nobody answers behind it
    """
    with noted_signals() as noted:
        import asyncio

        from loom_testing.commands.front import proxy_for, stand_in_front
        from loom_testing.faults import FaultError, Faults, Rules
        from loom_testing.transcript import Recorder

        rules = Rules()
        faults: Script | None = None
        try:
            faults = Faults(rules).script(script) if script is not None else None
            _set_seed(rules, seed)
            if faults is not None:
                faults.start()
        except FaultError as problem:
            raise Failure(str(problem), Exit.USAGE) from None
        if output is not None:
            check_place(output)
        recorder = Recorder(about=f"what crossed the proxy in front of {target}")
        recorder.redaction = made_redaction(keys, values)
        proxy = proxy_for(target, recorder, rules)
        number = len(faults.faults) if faults is not None else 0
        said = f"injecting {number} fault{'' if number == 1 else 's'}, seed {rules.chance.seed},"
        asyncio.run(stand_in_front(proxy, host, port, as_json=as_json, noted=noted, what=said))
        if output is not None:
            write(recorder.transcript(), output)
        _tell(faults, as_json=as_json)


def _set_seed(rules: Any, seed: str | None) -> None:
    from loom_testing.faults import FaultError
    from loom_testing.faults.chance import Chance

    if seed is None:
        return
    text = str(secrets.randbelow(1_000_000)) if seed == "random" else seed
    try:
        rules.chance = Chance(int(text))
    except ValueError:
        raise FaultError(f"--seed is {seed!r}: give a whole number, or random") from None


def _tell(script: Script | None, *, as_json: bool) -> None:
    """Says what fired.

    Raises:
        Failure: something that should have did not.
    """
    import json

    faults = script.faults if script is not None else []
    if as_json:
        fired = [{"fault": str(fault), "met": fault.met, "fired": fault.fired} for fault in faults]
        click.echo(json.dumps({"event": "stopped", "faults": fired}))
    for fault in faults:
        say(f"{fault}: fired {fault.fired} of {fault.met} times that it could have")
    unfired = [str(fault) for fault in faults if not fault.fired and not fault.optional]
    if unfired:
        raise Failure(f"{unfired[0]} never fired: see what crossed with --record, or say optional = true")
