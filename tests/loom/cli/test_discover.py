"""Finding the agents of a file or module."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loom.cli.discover import Target, find_agents
from loom.cli.exits import Failure
from tests.loom.cli.processes import TWO, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.loom.cli.conftest import Loom


@pytest.fixture(autouse=True)
def _modules_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test imports is forgotten: the next one has other files of the same names."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def ids(text: str) -> list[str]:
    return [agent.id for agent in find_agents(Target.parse(text))]


@pytest.mark.usefixtures("loom")
def test_all_agents_of_a_file_once_and_in_order() -> None:
    write("two.py", TWO)
    assert ids("two.py") == ["first", "second"]


@pytest.mark.usefixtures("loom")
def test_the_named_agent() -> None:
    write("two.py", TWO)
    assert ids("two.py:second") == ["second"]
    assert ids("./two.py:again") == ["first"]


@pytest.mark.usefixtures("loom")
def test_a_module_and_a_file_of_a_package() -> None:
    write("papers/__init__.py", "")
    write("papers/names.py", 'NAME = "reader"\n')
    write("papers/agents.py", "from loom import Agent\nfrom .names import NAME\nagent = Agent(NAME)\n")
    assert ids("papers.agents") == ["reader"]
    assert ids("papers/agents.py") == ["reader"]
    assert Target.parse("papers/agents.py").root == Path.cwd()


@pytest.mark.usefixtures("loom")
@pytest.mark.parametrize("module", ["agent", "agents"])
def test_a_package_stands_for_its_agents(module: str) -> None:
    write("papers/__init__.py", "")
    write(f"papers/{module}.py", TWO)
    assert ids("papers") == ids("papers/") == ids(f"papers.{module}") == ["first", "second"]
    assert ids("papers:second") == ["second"]


@pytest.mark.usefixtures("loom")
def test_a_file_called_as_a_module_that_exists() -> None:
    write("json.py", TWO)
    assert ids("json.py") == ["first", "second"]
    import json

    assert hasattr(json, "dumps")


@pytest.mark.usefixtures("loom")
def test_a_file_next_to_what_it_imports() -> None:
    write("deep/names.py", 'NAME = "reader"\n')
    write("deep/agents.py", "from loom import Agent\nfrom names import NAME\nagent = Agent(NAME)\n")
    assert ids("deep/agents.py") == ["reader"]


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("nothing.py", "there is no file nothing.py; check the path"),
        ("no/where", "there is no file no/where; check the path"),
        (
            "no.such.module",
            "there is no module 'no.such.module' here or installed; check the name, or name a file",
        ),
        ("a b", "'a b' is neither a file nor a module; write FILE.py or package.module"),
        ("notes.txt", "notes.txt is no Python file; name one that ends in .py"),
        ("folder", "folder is a folder; name a file of it, such as folder/two.py"),
        ("package", "package is a folder; name a file of it, such as package/two.py"),
        ("empty.py", 'empty.py has no agent at its top level; write `agent = Agent("name")` there'),
        ("two.py:third", "two has no agent named 'third'; it has first, second, again"),
        ("empty.py:it", "empty has no agent named 'it'; it has none"),
        ("exits.py", "exits.py ended the process while it was imported (exit code 3)"),
        ("definition.py", "error: definition.py:2: 'a b' is not an agent id"),
        ("topic.py", "error: topic.py:3: "),
    ],
)
def test_what_cannot_be_run_is_one_line(loom: Loom, target: str, says: str) -> None:
    write("notes.txt", "")
    write("folder/two.py", TWO)
    write("package/__init__.py", "")
    write("package/two.py", TWO)
    write("two.py", TWO)
    write("empty.py", "")
    write("exits.py", "import sys\nsys.exit(3)\n")
    write("definition.py", 'from loom import Agent\nagent = Agent("a b")\n')
    write("topic.py", 'from loom import Agent\nagent = Agent("a")\n@agent.on("a..b")\ndef hear(): ...\n')
    with pytest.raises(Failure) as caught:
        ids(target)
    assert says.removeprefix("error: ") in caught.value.message
    done = loom("run", target)
    assert done.stderr.count("\n") == 1
    assert done.exit_code in (1, 2)
    assert says in done.stderr.splitlines()[-1]


def test_an_error_of_the_users_code_shows_their_own_frames_only(loom: Loom) -> None:
    write("helper.py", "def work():\n    return 1 / 0\n")
    write("broken.py", "import helper\nhelper.work()\n")
    done = loom("run", "broken.py")
    assert done.exit_code == 1
    lines = done.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert [line for line in lines if 'File "' in line and ("broken.py" in line or "helper.py" in line)]
    assert not [line for line in lines if "importlib" in line or "loom/cli" in line]
    assert lines[-1] == "error: broken.py cannot be imported: ZeroDivisionError: division by zero"


def test_a_syntax_error_shows_its_place(loom: Loom) -> None:
    write("broken.py", "def f(:\n")
    done = loom("run", "broken.py")
    assert "broken.py" in done.stderr
    assert "line 1" in done.stderr
    assert "importlib" not in done.stderr
