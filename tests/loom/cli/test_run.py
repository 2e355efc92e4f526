"""`loom run`: finding agents, running them, ending them."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loom.cli.discover import Target, find_agents
from loom.cli.exits import Failure
from tests.loom.cli.processes import AGENT, Running, loom_command, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.loom.cli.conftest import Loom

TWO = 'from loom import Agent\nfirst = Agent("first")\nsecond = Agent("second")\nagain = first\n'


@pytest.fixture(autouse=True)
def _modules_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test imports is forgotten: the next one has other files of the same names."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Running]:
    with running(loom_command("dev", "--port", "0", "--json"), tmp_path) as dev:
        dev.wait_for_activity("bridge.started")
        yield dev


# Finding.


def ids(text: str) -> list[str]:
    return [agent.id for agent in find_agents(Target.parse(text))]


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


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
        ("definition.py", "definition.py cannot be imported: DefinitionError: 'a b' is not an agent id"),
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
    with pytest.raises(Failure) as caught:
        ids(target)
    assert says in caught.value.message
    done = loom("run", target)
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


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--bridge", "nowhere"], "--bridge is 'nowhere': write host:port"),
        (["--bridge", "host:99999"], "--bridge is 'host:99999': write host:port"),
        (["--namespace", "a b"], "--namespace is 'a b': use dot-separated tokens"),
    ],
)
def test_malformed_options(loom: Loom, args: list[str], says: str) -> None:
    write("two.py", TWO)
    done = loom("run", "two.py", *args)
    assert done.exit_code == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("toml", "environ", "says"),
    [
        ("[bridge]\naddress = 5\n", {}, "must be a string"),
        ("[bridge]\ntoken = 'x'\n", {}, "unknown key bridge.token"),
        ("not toml", {}, "is not TOML"),
        ("", {"LOOM_BRIDGE_ADDR": "nowhere"}, "LOOM_BRIDGE_ADDR is 'nowhere': write host:port"),
        ("", {"LOOM_NAMESPACE": "a..b"}, "LOOM_NAMESPACE is 'a..b'"),
    ],
)
@pytest.mark.parametrize("command", [["capabilities"], ["call", "x"], ["emit", "x"], ["run", "two.py"]])
def test_malformed_settings(
    loom: Loom,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    toml: str,
    environ: dict[str, str],
    says: str,
) -> None:
    write("loom.toml", toml)
    write("two.py", TWO)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    done = loom(*command)
    assert done.exit_code == 2, done.output
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


# Running.


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_agents_run_until_a_signal(tmp_path: Path, bridge: Running, number: int, code: int) -> None:
    (tmp_path / "agents.py").write_text(AGENT)
    with running(loom_command("run", "agents.py"), tmp_path) as run:
        run.wait_for(lambda line: "adder: connected" in line, err=True)
        run.wait_for(lambda line: "listener: connected" in line, err=True)
        assert run.end(number) == code
        assert not [line for line in run.err if "Traceback" in line]
    for agent in ("adder", "listener"):
        bridge.wait_for_activity("agent.left", agent=agent, orderly=True)


def test_an_agent_that_is_taken_over_ends_with_an_error(tmp_path: Path, bridge: Running) -> None:
    (tmp_path / "two.py").write_text(TWO)
    with running(loom_command("run", "two.py:first"), tmp_path) as run:
        bridge.wait_for_activity("agent.joined", agent="first")
        with running(loom_command("run", "two.py:first"), tmp_path):
            assert run.ended() == 3
            assert run.err[-1].startswith("error: ")


def test_reload_ends_on_a_signal(tmp_path: Path, bridge: Running) -> None:
    (tmp_path / "two.py").write_text(TWO)
    with running(loom_command("run", "--reload", "two.py"), tmp_path) as run:
        bridge.wait_for_activity("agent.joined", agent="second")
        assert run.end() == 130
    bridge.wait_for_activity("agent.left", agent="second", orderly=True)


def test_reload_waits_for_broken_code_to_be_mended(tmp_path: Path, bridge: Running) -> None:
    (tmp_path / "two.py").write_text("import nothing_of_that_name\n")
    with running(loom_command("run", "--reload", "two.py"), tmp_path) as run:
        run.wait_for(lambda line: "ended with exit code 1; waiting for a change" in line, err=True)
        (tmp_path / "two.py").write_text(TWO)
        bridge.wait_for_activity("agent.joined", agent="second")
        assert run.end(signal.SIGTERM) == 0


def test_reload_without_watchfiles(loom: Loom, monkeypatch: pytest.MonkeyPatch) -> None:
    write("two.py", TWO)
    monkeypatch.setattr("loom.cli.reloading.find_spec", lambda _: None)
    for command in ("run", "dev"):
        done = loom(command, "two.py", "--reload")
        assert done.exit_code == 2
        assert done.stderr == (
            "error: --reload needs the package watchfiles; `pip install 'loom-py[reload]'` brings it\n"
        )
