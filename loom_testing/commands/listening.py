"""Where a command that stands in front of a bridge listens. Light: part of `--help`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["listening_options"]

Command = TypeVar("Command", bound=Callable[..., Any])


def listening_options(command: Command) -> Command:
    """`--host` and `--port`: where to listen."""
    command = click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=0,
        show_default=True,
        help="Where to listen; 0 takes any free port.",
    )(command)
    return click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")(command)
