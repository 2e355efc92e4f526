"""The group: help, lazy loading, errors in one line, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from loom.cli import main
from loom.cli.exits import EXITS, Exit, Failure
from loom.cli.group import Entry, LoomGroup

if TYPE_CHECKING:
    from tests.loom.cli.conftest import Loom


def test_a_bare_loom_shows_the_help(loom: Loom) -> None:
    bare, asked = loom(), loom("--help")
    assert (bare.exit_code, asked.exit_code) == (0, 0)
    assert bare.output == asked.output
    assert "Exit codes:" in bare.output
    for code, words in EXITS.items():
        assert f"{int(code)} " in bare.output
        assert words in bare.output


def test_the_table_of_commands_says_what_the_commands_say() -> None:
    for entry in main.entries.values():
        command = import_module(f"loom.cli.{entry.name}").command
        assert command.help.startswith(entry.summary)
        assert "Examples:" in command.help or "loom " in command.help, f"{entry.name} teaches without example"


@pytest.mark.parametrize("name", list(main.entries))
def test_every_command_has_help(loom: Loom, name: str) -> None:
    shown = loom(name, "--help")
    assert shown.exit_code == 0, shown.output
    assert shown.output.startswith(f"Usage: loom {name}")
    assert loom(name, "-h").output == shown.output


def test_the_help_needs_neither_grpc_nor_pydantic_nor_asyncio() -> None:
    script = (
        "import sys\n"
        "before = set(sys.modules)\n"  # where coverage is measured, it has loaded some of them
        "from loom.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'grpc', 'google', 'pydantic', 'asyncio', 'json'}\n"
        "print(sorted(heavy & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_version(loom: Loom) -> None:
    assert loom("--version").output.startswith("loom 0.")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["nwe"], "error: there is no command 'nwe'; did you mean 'new'?\n"),
        (["zzzzzz"], "error: there is no command 'zzzzzz'; `loom --help` lists the commands\n"),
        (["--bogus"], "error: no such option '--bogus' (`loom --help` shows how)\n"),
        (["new"], "error: missing argument 'NAME' (`loom new --help` shows how)\n"),
        (["new", "x", "--bogus"], "error: no such option '--bogus' (`loom new --help` shows how)\n"),
    ],
)
def test_misuse_is_one_line_and_exit_code_2(loom: Loom, args: list[str], says: str) -> None:
    done = loom(*args)
    assert done.exit_code == Exit.USAGE
    assert done.stdout == ""
    assert done.stderr.replace("No such option: --bogus", "no such option '--bogus'") == says


def test_misuse_is_data_where_json_is_wanted(loom: Loom) -> None:
    done = loom("call", "--timeout", "soon", "--json", "x")
    assert (done.exit_code, done.stderr) == (Exit.USAGE, "")
    told = json.loads(done.stdout)
    assert told["ok"] is False
    assert "'soon' is not a valid float range" in told["error"]["message"]
    refused = loom("new", "x", "--json")  # which says nothing as data
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (Exit.USAGE, "", 1)


def group_of(raising: BaseException, monkeypatch: pytest.MonkeyPatch) -> LoomGroup:
    @click.command()
    def command() -> None:
        raise raising

    group = LoomGroup(name="loom", entries=(Entry("it", "Do", "Does it."),), about="")
    monkeypatch.setattr(LoomGroup, "get_command", lambda *_: command)
    return group


@pytest.mark.parametrize(
    ("raising", "code", "says"),
    [
        (Failure("it broke;\n mend it"), 1, "error: it broke; mend it\n"),
        (Failure("nobody", Exit.NO_BRIDGE), 3, "error: nobody\n"),
        (click.ClickException("plain"), 1, "error: plain\n"),
        (KeyboardInterrupt(), 130, "\n"),
        (click.Abort(), 130, "\n"),
    ],
)
def test_every_end_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, raising: BaseException, code: int, says: str
) -> None:
    done = CliRunner().invoke(group_of(raising, monkeypatch), ["it"])
    assert (done.exit_code, done.stdout, done.stderr.lstrip("\n") or "\n") == (code, "", says)


def test_an_os_error_of_the_program_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    done = CliRunner().invoke(group_of(OSError(5, "input/output"), monkeypatch), ["it"])
    assert isinstance(done.exception, OSError)


def test_a_reader_that_leaves_is_no_traceback() -> None:
    done = subprocess.run(
        f"{sys.executable} -m loom.cli completion bash | true; exit ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.stderr == ""
