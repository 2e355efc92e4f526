"""The `loom-testing` command. gRPC is imported only by what needs it, so that `--help` answers at once."""

from __future__ import annotations

import click

from loom.cli.exits import Exit, Failure
from loom.cli.group import OneLineGroup
from loom.cli.options import Seconds
from loom_testing.commands.diagram import command as diagram
from loom_testing.commands.proxy import command as proxy
from loom_testing.commands.record import command as record
from loom_testing.commands.replay import command as replay
from loom_testing.commands.tap import command as tap
from loom_testing.log import LEVELS
from loom_testing.signals import noted_signals

__all__ = ["main"]

DEFAULT_PORT = 50051


@click.group(
    "loom-testing",
    cls=OneLineGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="loom-py", prog_name="loom-testing")
def main() -> None:
    """The fake bridge of Loom, and tools for tests, as a program."""


@main.command(short_help="Run the fake bridge as a light bridge for development.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Where to listen; 0 takes any free port.",
)
@click.option("--json", "as_json", is_flag=True, help="Say what happens as JSON, one object per line.")
@click.option(
    "--log-level",
    type=click.Choice(LEVELS),
    default="info",
    show_default=True,
    help="What to log on stderr.",
)
@click.option(
    "--testing/--no-testing",
    default=False,
    show_default=True,
    help="Serve loom.testing.v1.Control: whoever reaches the port can move clocks and break sessions.",
)
@click.option(
    "--grace",
    type=Seconds(0, 14),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long open calls may take when the bridge stops.",
)
@click.option(
    "--idle-exit",
    type=Seconds(0, min_open=True),
    metavar="SECONDS",
    help="Stop by itself once no agent was connected for so long.",
)
@click.option(
    "--address-file",
    type=click.Path(dir_okay=False, path_type=str),
    metavar="PATH",
    help="Put the first line of --json into this file, for you only; removed when the bridge stops.",
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME=VALUE",
    help="A limit other than its default, by the names of loom.v1.Limits. May be repeated.",
)
def serve(
    host: str,
    port: int,
    as_json: bool,
    log_level: str,
    testing: bool,
    grace: float,
    idle_exit: float | None,
    address_file: str | None,
    limits: tuple[str, ...],
) -> None:
    """Run the fake bridge as a light bridge for development.

    The first line on stdout is its address, as HOST:PORT (with --json an object with "event": "serving" and
    "address"). The log goes to stderr. Ctrl-C or SIGTERM stops it in order; a second one at once.

    \b
    Exit codes:
      0    stopped as told: by Ctrl-C, SIGTERM, or after --idle-exit
      2    it cannot serve: the port is in use, or an option is malformed
      130  interrupted (Ctrl-C) before it began
    """
    with noted_signals() as noted:
        # Imported here, as it takes its time.
        from loom_testing.serve import CannotServeError, ServeOptions, run

        options = ServeOptions(
            host=host,
            port=port,
            as_json=as_json,
            log_level=log_level,
            testing=testing,
            grace=grace,
            idle_exit=idle_exit,
            address_file=address_file,
            limits=_limits(limits),
        )
        try:
            run(options, noted)
        except CannotServeError as problem:
            raise Failure(str(problem), Exit.USAGE) from None


main.add_command(diagram)
main.add_command(proxy)
main.add_command(record)
main.add_command(replay)
main.add_command(tap)


def _limits(given: tuple[str, ...]) -> dict[str, int]:
    limits = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not (equals and value.isascii() and value.isdecimal()):
            raise click.BadParameter(f"{item!r} is not NAME=VALUE with a whole number", param_hint="--limit")
        limits[name] = int(value)
    return limits
