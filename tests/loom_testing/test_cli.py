"""The command line of `loom-testing`; what it does when it serves is in test_serve."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from loom_testing.cli import main


def run(*arguments: str):
    return CliRunner().invoke(main, arguments)


def test_help_names_the_commands():
    result = run("--help")
    assert result.exit_code == 0
    assert "serve" in result.output


def test_the_help_of_serve_documents_its_exit_codes():
    result = run("serve", "-h")
    assert result.exit_code == 0
    assert "Exit codes" in result.output
    for option in ("--host", "--port", "--json", "--log-level", "--testing", "--idle-exit", "--address-file"):
        assert option in result.output


def test_the_version():
    result = run("--version")
    assert result.exit_code == 0
    assert result.output.startswith("loom-testing, version ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "70000"], "70000"),
        (["--port", "x"], "x"),
        (["--log-level", "loud"], "loud"),
        (["--idle-exit", "0"], "0"),
        (["--idle-exit", "nan"], "'nan' is not a number of seconds"),
        (["--idle-exit", "inf"], "'inf' is not a number of seconds"),
        (["--idle-exit", "-1"], "-1"),
        (["--grace", "-1"], "-1"),
        (["--grace", "nan"], "'nan' is not a number of seconds"),
        (["--grace", "inf"], "inf is not in the range"),
        (["--limit", "event_bytes"], "NAME=VALUE"),
        (["--limit", "event_bytes=many"], "NAME=VALUE"),
        (["--limit", "event_bytes=-1"], "NAME=VALUE"),
        (["--limit", "nothing=1", "--port", "0"], "unknown limit 'nothing'"),
        (["--limit", "event_bytes=0", "--port", "0"], "at least 1"),
    ],
)
def test_malformed_options(arguments, words, reset_logging):
    result = run("serve", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.startswith("error: ")
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)


def test_help_waits_for_nothing_heavy():
    program = (
        "import sys\n"
        "from loom_testing.cli import main\n"
        "try: main(['serve', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'grpc', 'google.protobuf', 'pydantic', 'asyncio'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "loom_testing", "--version"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "version" in done.stdout
