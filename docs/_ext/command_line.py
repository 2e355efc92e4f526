"""The directive `command-line`: what a command and its subcommands say of themselves on `--help`.

```{command-line} loom.cli:main loom
```
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import click
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

WIDTH = 88


class CommandLine(SphinxDirective):
    """The help of the group, then of each of its commands, theirs too, under a heading of its own."""

    required_arguments = 2

    def run(self) -> list[nodes.Node]:
        """The texts, each as it is shown in a terminal of 88 columns."""
        place, name = self.arguments
        module, _, attribute = place.partition(":")
        group = getattr(importlib.import_module(module), attribute)
        assert isinstance(group, click.Group)
        above = click.Context(group, info_name=name, **group.context_settings)
        return [_help(group, name, None), *_commands(group, name, above)]


def _commands(group: click.Group, name: str, above: click.Context) -> list[nodes.Node]:
    """A section for each command, in it the sections of its own."""
    sections: list[nodes.Node] = []
    for command_name in group.list_commands(above):
        command = group.get_command(above, command_name)
        assert command is not None
        whole = f"{name} {command_name}"
        section = nodes.section(ids=[whole.replace(" ", "-")], names=[])
        section += nodes.title("", whole)
        section += _help(command, command_name, above)
        if isinstance(command, click.Group):
            below = click.Context(command, parent=above, info_name=command_name, **command.context_settings)
            section += _commands(command, whole, below)
        sections.append(section)
    return sections


def _help(command: click.Command, name: str, above: click.Context | None) -> nodes.literal_block:
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, parent=above, info_name=name, **settings)
    text = click.unstyle(command.get_help(context))
    return nodes.literal_block(text, text, language="text")


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
