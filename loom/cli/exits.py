"""The exit codes, and the errors that end a command with one of them.

A command's error is one line on stderr that says what happened and what to do.
"""

from __future__ import annotations

from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loom.errors import LoomError

__all__ = ["EXITS", "Exit", "Failure", "exit_for", "loom_errors", "told_as_json"]


class Exit(IntEnum):
    """What a command's exit code says."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NO_BRIDGE = 3
    NOBODY = 4
    TIMEOUT = 5
    INTERRUPTED = 130


EXITS: dict[Exit, str] = {
    Exit.OK: "it worked",
    Exit.FAILED: "it was tried, and failed",
    Exit.USAGE: "the command line, an input or a setting is malformed",
    Exit.NO_BRIDGE: "no bridge answers, or it refuses us",
    Exit.NOBODY: "nobody there: no agent offers the capability",
    Exit.TIMEOUT: "time ran out",
    Exit.INTERRUPTED: "interrupted (Ctrl-C)",
}
"""The words of `loom --help`."""


class Failure(click.ClickException):
    """Ends the command: `message` is one line, `ends` the exit code; the rest is for `--json`."""

    def __init__(
        self, message: str, ends: Exit = Exit.FAILED, *, code: str = "", details: dict[str, str] | None = None
    ) -> None:
        super().__init__(" ".join(message.split()))
        self.ends = ends
        self.code = code
        self.details = details or {}


@contextmanager
def loom_errors() -> Iterator[None]:
    """Turns the SDK's errors into failures with the right exit code.

    Raises:
        Failure: in place of any `LoomError`, with its message, code and details.
    """
    from loom.errors import LoomError

    try:
        yield
    except LoomError as error:
        raise Failure(error.message, exit_for(error), code=error.code, details=error.details) from error


@contextmanager
def told_as_json(wanted: bool) -> Iterator[None]:
    """With `--json` a failure is data too: `{"ok": false, "error": {code, message, details}}` on stdout.

    The exit code is that of the failure.
    """
    try:
        yield
    except Failure as failure:
        if not wanted:
            raise
        from loom.cli.console import json_line

        error = {"code": failure.code, "message": failure.message, "details": failure.details}
        json_line({"ok": False, "error": error})
        click.get_current_context().exit(failure.ends)


def exit_for(error: LoomError) -> Exit:
    """The exit code that stands for an error of the SDK."""
    from loom import errors

    usage = (errors.ConfigError, errors.DefinitionError, errors.PayloadError, errors.InvalidInput)
    nobody = (errors.NoSubscribers, errors.CapabilityNotFound, errors.CapabilityUnavailable)
    table: tuple[tuple[type[LoomError] | tuple[type[LoomError], ...], Exit], ...] = (
        (usage, Exit.USAGE),
        (errors.BridgeError, Exit.NO_BRIDGE),
        (nobody, Exit.NOBODY),
        (errors.DeadlineExceeded, Exit.TIMEOUT),
    )
    return next((code for kinds, code in table if isinstance(error, kinds)), Exit.FAILED)
