"""What commands that write transcripts have in common: where to, and what is secret."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from loom.cli.console import say
from loom.cli.exits import Exit, Failure

if TYPE_CHECKING:
    from loom_testing.transcript import Redaction, Transcript

__all__ = ["check_place", "made_redaction", "output_type", "redaction_options", "write"]

Command = TypeVar("Command", bound=Callable[..., Any])

output_type = click.Path(dir_okay=False, path_type=Path)


def redaction_options(command: Command) -> Command:
    """`--redact` and `--redact-value`: what is secret, besides what always is."""
    command = click.option(
        "--redact-value", "values", multiple=True, metavar="REGEX", help="What is secret wherever it stands."
    )(command)
    return click.option(
        "--redact", "keys", multiple=True, metavar="NAME", help="A name whose values are secret too."
    )(command)


def made_redaction(keys: tuple[str, ...], values: tuple[str, ...]) -> Redaction:
    """What is secret.

    Raises:
        click.BadParameter: a pattern is malformed.
    """
    from loom_testing.transcript import Redaction

    try:
        return Redaction(keys=keys, values=values)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--redact") from None


def check_place(output: Path) -> None:
    """Refuses a place where nothing can be written before anything is recorded that would be lost.

    Raises:
        Failure: the folder is not there, or closed.
    """
    if not output.parent.is_dir() or not os.access(output.parent, os.W_OK):
        raise Failure(f"{output} cannot be written: make its folder, or choose another", Exit.FAILED)


def write(transcript: Transcript, output: Path, about: str = "") -> None:
    """Writes a transcript, and says so.

    Raises:
        Failure: there is nothing in it, or it cannot be written.
    """
    from loom_testing.transcript import save

    if not transcript.entries:
        raise Failure("nothing happened there meanwhile: start the agents after this", Exit.FAILED)
    try:
        save(transcript, output)
    except OSError as error:
        raise Failure(f"{output} cannot be written ({error.strerror}): choose another place") from None
    say(f"{output}: {len(transcript.entries)} entries{about}")
