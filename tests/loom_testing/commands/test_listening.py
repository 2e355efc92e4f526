"""Where a command that stands in front of a bridge listens."""

from __future__ import annotations

import click
from click.testing import CliRunner

from loom_testing.commands.listening import listening_options


def test_by_itself_it_is_a_free_port_of_this_machine():
    @click.command()
    @listening_options
    def told(host: str, port: int) -> None:
        click.echo(f"{host}:{port}")

    assert CliRunner().invoke(told, []).stdout == "127.0.0.1:0\n"
    assert CliRunner().invoke(told, ["--host", "::1", "--port", "7"]).stdout == "::1:7\n"
    assert CliRunner().invoke(told, ["--port", "70000"]).exit_code == 2
