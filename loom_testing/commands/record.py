"""`loom-testing record`: stands in front of any bridge, and writes down what crosses."""

from __future__ import annotations

from pathlib import Path

import click

from loom_testing.commands.listening import listening_options
from loom_testing.commands.output import (
    check_place,
    made_redaction,
    output_type,
    redaction_options,
    write,
)
from loom_testing.signals import noted_signals

__all__ = ["command"]


@click.command("record", short_help="Stand in front of any bridge, and record what crosses.")
@click.option("--target", required=True, metavar="HOST:PORT", help="The bridge.")
@click.option("-o", "--output", required=True, type=output_type, help="The transcript.")
@listening_options
@redaction_options
@click.option("--json", "as_json", is_flag=True, help="Say the address as JSON.")
def command(
    target: str,
    output: Path,
    host: str,
    port: int,
    keys: tuple[str, ...],
    values: tuple[str, ...],
    as_json: bool,
) -> None:
    """Stand in front of any bridge, and record what crosses.

    Agents connect to the address that is the first line on stdout; everything crosses as it is. On Ctrl-C or
    SIGTERM the transcript is written. The bridge need not be one for testing, nor of this project; of one
    that is, `loom-testing tap` records without standing in between. Tokens, passwords and keys are never
    written.

    \b
    Examples:
      loom-testing record --target bridge.example:443 --port 50052 -o monday.jsonl &
      LOOM_BRIDGE_ADDR=127.0.0.1:50052 loom run agents.py
      loom-testing diagram monday.jsonl

    \b
    Exit codes:
      0    recorded
      1    nothing crossed, or OUTPUT cannot be written
      2    an option or the address is malformed, or the port is in use
      3    nobody answers behind it
    """
    with noted_signals() as noted:
        import asyncio

        from loom_testing.commands.front import proxy_for, stand_in_front
        from loom_testing.transcript import Recorder

        check_place(output)
        recorder = Recorder(about=f"what crossed to {target}")
        recorder.redaction = made_redaction(keys, values)
        proxy = proxy_for(target, recorder)
        asyncio.run(stand_in_front(proxy, host, port, as_json=as_json, noted=noted, what="recording"))
        write(recorder.transcript(), output)
