"""`loom new`: a project that runs and whose tests pass as they are."""

from __future__ import annotations

import keyword
import re
import sys
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import click

from loom.cli import console
from loom.cli.exits import Exit, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
LONGEST = 64
SUFFIX = ".tmpl"
RESERVED = {"loom", "loom_testing", "pytest", "pytest_asyncio", "test", "tests"}
"""Besides the standard library, and what is installed."""


@click.command()
@click.argument("name")
@click.option(
    "--dir",
    "where",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to put it.  [default: ./NAME]",
)
def command(name: str, where: Path | None) -> None:
    """Make a project that runs and whose tests pass.

    It holds one agent with a typed event and a capability, a loom.toml, and two tests. NAME is the
    project's, its package's and its agent's name.

    \b
    Examples:
      loom new hello
      loom new paper-reader --dir ~/agents/papers
    """
    problem = name_problem(name)
    if problem:
        raise Failure(problem, Exit.USAGE)
    folder = Path(name) if where is None else where.expanduser()
    if problem := folder_problem(folder):
        raise Failure(problem, Exit.USAGE)
    package = name.replace("-", "_")
    try:
        written = write_project(folder, {"name": name, "package": package, "version": _version()})
    except OSError as error:
        why = f"cannot write to {folder}: {error.strerror}; choose another place with --dir"
        raise Failure(why) from error
    for path in written:
        console.say(f"  {console.mark('good')} {folder / path}")
    console.say()
    console.say(f"{click.style(name, bold=True)} is ready. Next:")
    console.say(f"  cd {folder}")
    console.say("  pytest               its two tests")
    console.say(f"  loom dev {package:<12}its agent on a bridge, and everything that happens there")


def name_problem(name: str) -> str | None:
    """What is wrong with a project's name, and what to do; None where it is good."""
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        hint = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:LONGEST].rstrip("-")
        recognisable = NAME.fullmatch(hint) and len(hint) * 2 >= len(name)
        return (
            f"{name!r} is no project name; begin with a letter and use a-z, 0-9 and single - or _, "
            f"at most {LONGEST} characters, such as {hint if recognisable else 'my-agent'!r}"
        )
    package = name.replace("-", "_")
    if keyword.iskeyword(package) or package in RESERVED | sys.stdlib_module_names | _installed():
        return f"{name!r} would hide a Python module of that name; choose another, such as '{name}-agent'"
    return None


def _installed() -> set[str]:
    """The top-level modules of what is installed; Loom itself stands on some of them."""
    from importlib.metadata import packages_distributions

    return set(packages_distributions())


def folder_problem(folder: Path) -> str | None:
    """Why a project cannot be put there, and what to do; None where it can."""
    if folder.is_dir() and any(folder.iterdir()):
        return f"{folder} is not empty; choose another place with --dir, or empty it first"
    if folder.exists() and not folder.is_dir():
        return f"{folder} is a file; choose another place with --dir"
    return None


def write_project(folder: Path, values: dict[str, str]) -> list[Path]:
    """Writes the templates with their `$names` filled in; gives the files' paths within the folder."""
    written = []
    for parts, source in sorted(_templates(files("loom.cli") / "templates"), key=lambda found: found[0]):
        path = Path(*(Template(part).substitute(values) for part in parts))
        target = folder / path.with_name(path.name.removesuffix(SUFFIX))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(source.read_text("utf-8")).substitute(values), "utf-8")
        written.append(target.relative_to(folder))
    return written


def _templates(
    folder: Traversable, above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Traversable]]:
    for entry in folder.iterdir():
        parts = (*above, entry.name)
        if entry.is_dir():
            yield from _templates(entry, parts)
        elif entry.name.endswith(SUFFIX):
            yield parts, entry


def _version() -> str:
    from importlib.metadata import version

    return version("loom-py")
