"""`loom completion`: click's own completion script, with the line that installs it."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from loom.cli import console, main
from loom.cli.exits import Failure

INSTALL = {
    "bash": ('eval "$(loom completion bash)"', "~/.bashrc"),
    "zsh": ('eval "$(loom completion zsh)"', "~/.zshrc"),
    "fish": ("loom completion fish | source", "~/.config/fish/config.fish"),
}
"""For each shell: the line, and the file it belongs into."""


@click.command()
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(sorted(INSTALL)))
def command(shell: str) -> None:
    """Print the shell's completion script.

    \b
    For this shell only:
      eval "$(loom completion bash)"
    For every new one:
      echo 'eval "$(loom completion bash)"' >> ~/.bashrc
      echo 'eval "$(loom completion zsh)"'  >> ~/.zshrc
      echo 'loom completion fish | source'  >> ~/.config/fish/config.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise Failure(f"this click knows no completion for {shell}; `pip install -U click` brings it")
    line, place = INSTALL[shell]
    console.data(f"# Completion of `loom` for {shell}. For every new shell, put this line into {place}:")
    console.data(f"#   {line}")
    # Not `source()`: for bash it would run bash to look at its version.
    completion = kind(main, {}, "loom", "_LOOM_COMPLETE")
    console.data(completion.source_template % completion.source_vars())
