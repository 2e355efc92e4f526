"""Options that several commands share, and the settings they become."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from loom.cli.exits import Exit, Failure, loom_errors

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from loom.config import Settings
    from loom.endpoint import Endpoint

__all__ = [
    "Seconds",
    "bridge_options",
    "check_options",
    "complete_file",
    "find_endpoint",
    "json_option",
    "load_settings",
    "timeout_option",
]

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="JSON on stdout, for programs.")


class Seconds(click.FloatRange):
    """A number of seconds: within its range, and neither NaN, which every range lets pass, nor infinite."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As `click.FloatRange`."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number of seconds.", param, ctx)
        return number


def complete_file(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leaves the completion of a path to the shell."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


timeout_option = click.option(
    "--timeout",
    type=Seconds(min=0, min_open=True, max=86_400),
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


def check_options(bridge: str | None, namespace: str | None) -> None:
    """Checks `--bridge` and `--namespace`.

    Raises:
        Failure: one is malformed.
    """
    from loom.endpoint import check_address, check_namespace

    with loom_errors():
        if bridge is not None:
            check_address(bridge, "--bridge")
        if namespace is not None:
            check_namespace(namespace, "--namespace")


def load_settings(bridge: str | None = None, namespace: str | None = None) -> Settings:
    """The settings that hold here.

    Raises:
        Failure: one is malformed; the message names its place.
    """
    from loom.config import Settings

    check_options(bridge, namespace)
    with loom_errors():
        return Settings.load(address=bridge, namespace=namespace)


def find_endpoint(bridge: str | None, namespace: str | None) -> Endpoint:
    """The bridge that is named, or the local one that runs; none is started.

    Raises:
        Failure: there is none, or a setting is malformed.
    """
    from loom.runtime.choose import find_running

    settings = load_settings(bridge, namespace)
    with loom_errors():
        found = find_running(settings)
    if found is None:
        raise Failure(
            "no bridge is named and no local one runs; start one with `loom dev`, or name one with "
            "--bridge HOST:PORT",
            Exit.NO_BRIDGE,
        )
    return found.endpoint
