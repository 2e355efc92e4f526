"""Options that several commands share, and the settings they become."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from loom.cli.exits import Exit, Failure, loom_errors

if TYPE_CHECKING:
    from loom.config import Settings

__all__ = ["bridge_options", "json_option", "load_settings", "timeout_option"]

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="JSON on stdout, for programs.")

timeout_option = click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=86_400),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait at the most.",
)


def bridge_options(command: Command) -> Command:
    """`--bridge` and `--namespace`: which bridge, before the environment and loom.toml."""
    command = click.option(
        "--namespace",
        "-n",
        metavar="NAME",
        help="The namespace.  [default: LOOM_NAMESPACE, loom.toml, default]",
    )(command)
    return click.option(
        "--bridge",
        "-b",
        metavar="HOST:PORT",
        help="The bridge.  [default: LOOM_BRIDGE_ADDR, loom.toml, a local one]",
    )(command)


def load_settings(bridge: str | None = None, namespace: str | None = None) -> Settings:
    """The settings that hold here.

    Raises:
        Failure: one is malformed; the message names its place.
    """
    from loom.config import Settings

    with loom_errors():
        return Settings.load(address=bridge, namespace=namespace)


def parse_json(text: str, what: str) -> Any:
    """A JSON text from the command line.

    Raises:
        Failure: it is no JSON; the message says where it breaks.
    """
    import json

    try:
        return json.loads(text)
    except ValueError as error:
        quoted = text if len(text) <= 40 else text[:39] + "…"
        raise Failure(
            f"{what} is no JSON: {error}; it was {quoted!r} (quote it for the shell: '{{\"a\": 1}}')",
            Exit.USAGE,
        ) from error
