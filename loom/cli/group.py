"""The `loom` group: each command's module is imported when the command is named.

`loom --help` therefore needs only the table of entries; a test holds the table to what the commands say
of themselves.
"""

from __future__ import annotations

import errno
import sys
from dataclasses import dataclass
from importlib import import_module
from itertools import groupby
from typing import TYPE_CHECKING, Any, NoReturn

import click

from loom.cli import console
from loom.cli.exits import EXITS, Exit, Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Entry", "LoomGroup", "OneLineGroup"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: `loom.cli.<name>:command`, under a heading, with its help in one line."""

    name: str
    heading: str
    summary: str


class OneLineGroup(click.Group):
    """A group whose errors are one line and an exit code."""

    def main(  # type: ignore[override]  # click's overloads tell apart what such a group always sets
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Runs the command line, and ends the process with the command's exit code."""
        console.tolerate_narrow_encodings()
        extra.setdefault("color", console.colour_wanted())
        extra["standalone_mode"] = False
        sys.exit(self._exit_code(args, prog_name or self.name or "", extra))

    def _exit_code(self, args: Sequence[str] | None, prog_name: str, extra: dict[str, Any]) -> int:
        try:
            returned = super().main(args, prog_name, **extra)
        except (click.Abort, KeyboardInterrupt):
            console.say()  # the terminal shows ^C without ending its line
            return Exit.INTERRUPTED
        except click.UsageError as problem:
            self.tell_misuse(problem, sys.argv[1:] if args is None else args)
            return Exit.USAGE
        except click.ClickException as problem:
            console.error(problem.format_message())
            return problem.ends if isinstance(problem, Failure) else Exit.FAILED
        except OSError as problem:
            if problem.errno != errno.EPIPE:
                raise
            _mute_stdout()
            return Exit.FAILED
        return returned if isinstance(returned, int) else Exit.OK

    def tell_misuse(self, problem: click.UsageError, words: Sequence[str]) -> None:
        """Says in one line what is wrong with the words of the command line."""
        console.error(_one_line(problem))


class LoomGroup(OneLineGroup):
    """The group whose commands are loaded lazily."""

    def __init__(self, *, name: str, entries: Sequence[Entry], about: str) -> None:
        super().__init__(
            name=name,
            help=about,
            invoke_without_command=True,
            callback=_bare,
            params=[_version_option()],
            context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        )
        self.entries = {entry.name: entry for entry in entries}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the help."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in self.entries:
            return None
        command = import_module(f"loom.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, but an unknown name is answered with the nearest one."""
        name = args[0]
        if name in self.entries or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches

        near = get_close_matches(name, self.entries, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`loom --help` lists the commands."
        raise click.UsageError(f"there is no command {name!r}; {hint}", ctx)

    def tell_misuse(self, problem: click.UsageError, words: Sequence[str]) -> None:
        """As data where the command takes --json, and that is among the words."""
        takes_json = problem.ctx and any(each.name == "as_json" for each in problem.ctx.command.params)
        if not takes_json or "--json" not in words:
            super().tell_misuse(problem, words)
            return
        error = {"code": "", "message": _one_line(problem), "details": {}}
        console.json_line({"ok": False, "error": error})

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of entries under their headings; nothing is imported."""
        width = max(map(len, self.entries))
        for heading, entries in groupby(self.entries.values(), lambda entry: entry.heading):
            with formatter.section(heading):
                formatter.write_dl([(entry.name.ljust(width), entry.summary) for entry in entries])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The exit codes, and where colour and completion are set."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)).ljust(3), words) for code, words in EXITS.items()])
        formatter.write_paragraph()
        formatter.write_text(
            "Data goes to stdout, talk to stderr. --json wherever a program may read it. "
            "NO_COLOR turns colour off. `loom COMMAND --help` shows examples."
        )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Names and options; nothing is imported for the names."""
        from click.shell_completion import CompletionItem

        names = [
            CompletionItem(entry.name, help=entry.summary)
            for entry in self.entries.values()
            if entry.name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)


def _bare() -> None:
    """A bare `loom` shows the help."""
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        console.data(ctx.get_help())


def _version_option() -> click.Option:
    def show(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
        if not wanted or ctx.resilient_parsing:
            return
        from importlib.metadata import version

        console.data(f"loom {version('loom-py')}")
        ctx.exit()

    return click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Show the version.",
    )


def _one_line(problem: click.UsageError) -> str:
    message = problem.format_message().rstrip(".")
    message = message[:1].lower() + message[1:]
    if problem.ctx is None or "`loom" in message or "did you mean" in message:
        return message
    return f"{message} (`{problem.ctx.command_path} --help` shows how)"


def _mute_stdout() -> None:
    """The reader of our pipe left: nothing more is said there, and the flush at exit must not complain."""
    import os

    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
