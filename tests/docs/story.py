"""Runs what a page of the documentation shows, in the order it shows it, in a folder of its own.

What is done with a fenced block:

* `python` with a first line `# NAME.py`: written to that file; files named `test_*.py` are run by pytest,
  those that follow each other in one run, any other is loaded once (not as `__main__`).
* `python` without a name: run as a script.
* `toml` with a first line `# NAME.toml`: written to that file.
* `console`: each `$ command` is run by a shell and must succeed; the lines below it must come in its
  output, in that order, where `...` stands for anything.
* Other languages are only read by people.

A comment on the line before a block changes that: `<!-- run: skip, REASON -->`, or
`<!-- run: background -->` for a console block with one command that goes on until the page ends, and is
ready once the lines below it have come. `<!-- run: after Ctrl-C -->` ends the latest of
these before the block.

The ports 50051 and 50052 stand for free ones.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Block", "Story", "blocks"]

FENCE = re.compile(
    r"(?:^<!-- run: (?P<how>[^\n]*?) -->\n)?^```(?P<language>[\w-]*|\{[^\n]*)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
NAMED = re.compile(r"# (?P<name>[\w./-]+\.(?:py|toml))\n")
PORTS = ("50051", "50052")
HOME = Path.home()
OF_A_TERMINAL = ("COLUMNS", "LINES")
OF_A_BRIDGE = ("LOOM_BRIDGE_BIN", "LOOM_BRIDGE_IMAGE")
PATIENCE = 120


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: where it stands, and what is to be done with it."""

    line: int
    language: str
    body: str
    how: str = ""

    @property
    def name(self) -> str:
        """The file the block is, or nothing."""
        match = NAMED.match(self.body)
        return match["name"] if match else ""

    @property
    def commands(self) -> list[tuple[str, list[str]]]:
        """A console block's commands, each with the output it should show."""
        commands: list[tuple[str, list[str]]] = []
        for line in self.body.splitlines():
            if line.startswith("$ "):
                commands.append((line[2:], []))
            elif commands:
                commands[-1][1].append(line)
        return commands


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a Markdown page."""
    return [
        Block(
            line=text.count("\n", 0, match.start("language")) + 1,
            language=match["language"],
            body=match["body"],
            how=match["how"] or "",
        )
        for match in FENCE.finditer(text)
    ]


class StoryError(AssertionError):
    """Something a page shows is not so."""


@dataclass(slots=True)
class Story:
    """A page being followed.

    Args:
        page: the Markdown file.
        folder: an empty folder to work in.
        bridge: which bridge the page's tests run on, as for `--loom-bridge`; the fake unless given.
    """

    page: Path
    folder: Path
    bridge: str = ""
    running: list[Background] = field(default_factory=list)
    untested: list[Block] = field(default_factory=list)
    ports: dict[str, str] = field(default_factory=lambda: {port: _free_port() for port in PORTS})

    def follow(self) -> None:
        """Does all that the page shows.

        Raises:
            StoryError: what the page shows does not work; the text names the line.
        """
        try:
            for block in blocks(self.page.read_text(encoding="utf-8")):
                if not block.how.startswith("skip"):
                    self._do(block)
            self._test()
        finally:
            codes = [background.stop() for background in reversed(self.running)]
        if any(codes):
            raise StoryError(f"{self.page.name}: what ran in the background ended with {codes}")

    def _do(self, block: Block) -> None:
        match block.language:
            case "console":
                if block.commands and block.commands[0][0].startswith("pytest"):
                    self.untested.clear()  # the page runs them itself
                self._test()
                if block.how == "after Ctrl-C":
                    self._interrupt(block)
                self._console(block)
            case "python" | "toml" if block.name:
                self._file(block)
            case "python":
                self._run([sys.executable, "-c", self._ported(block.body)], block)
            case _:
                return

    def _interrupt(self, block: Block) -> None:
        if not self.running:
            raise StoryError(f"{self._where(block)}: nothing runs that Ctrl-C could end")
        code = self.running.pop().stop()
        if code:
            raise StoryError(f"{self._where(block)}: what Ctrl-C ended, ended with {code}")

    def _file(self, block: Block) -> None:
        path = self.folder / block.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._ported(block.body), encoding="utf-8")
        if path.suffix != ".py":
            return
        if path.name.startswith("test_"):
            self.untested.append(block)
        else:
            self._run([sys.executable, "-c", f"import runpy; runpy.run_path({block.name!r})"], block)

    def _test(self) -> None:
        """Runs the tests that were written and not run yet."""
        tests, self.untested = self.untested, []
        if tests:
            self._run([sys.executable, "-m", "pytest", "-q", *(block.name for block in tests)], tests[0])

    def _console(self, block: Block) -> None:
        if block.how == "background":
            ((command, expected),) = block.commands
            background = Background(self._ported(command), self.folder, self._environment())
            self.running.append(background)
            problem = background.wait_for([self._ported(line) for line in expected])
            if problem:
                raise StoryError(f"{self._where(block)}: $ {command}\n{problem}")
            return
        for command, expected in block.commands:
            output = self._run(["bash", "-c", self._ported(command)], block)
            missing = first_missing([self._ported(line) for line in expected], output.splitlines())
            if missing is not None:
                raise StoryError(
                    f"{self._where(block)}: $ {command}\ndid not print: {missing}\nbut:\n{output}"
                )

    def _run(self, command: list[str], block: Block) -> str:
        """Runs the command to its end; what it printed."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode != 0:
            raise StoryError(
                f"{self._where(block)}: exit code {done.returncode} of {command[-1]}\n{done.stdout}"
            )
        return done.stdout

    def _environment(self) -> dict[str, str]:
        """A user's: no settings of ours but what the page sets, and a home of its own."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LOOM_", "PYTEST_")) and name not in OF_A_TERMINAL
        }
        environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
        environment["HOME"] = environment["XDG_RUNTIME_DIR"] = str(self.folder)
        environment["PYTHONUNBUFFERED"] = "1"
        return {**environment, **self._chosen()}

    def _chosen(self) -> dict[str, str]:
        """What the page's runs need to know of the chosen bridge: where it is, and where it can be built."""
        if not self.bridge:
            return {}
        found = {name: os.environ[name] for name in OF_A_BRIDGE if name in os.environ}
        for name, folder in (("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")):
            if name not in os.environ and (HOME / folder).is_dir():
                found[name] = str(HOME / folder)
        return {**found, "LOOM_TEST_BRIDGE": self.bridge}

    def _ported(self, text: str) -> str:
        for port, free in self.ports.items():
            text = text.replace(port, free)
        return text

    def _where(self, block: Block) -> str:
        return f"{self.page.name}:{block.line}"


class Background:
    """A command that goes on while the page is followed."""

    def __init__(self, command: str, folder: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash", "-c", f"exec {command}" if "=" not in command.split()[0] else f"exec env {command}"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: list[str] = []
        self._more = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._more:
                self._lines.append(line.rstrip("\n"))
                self._more.notify_all()
        with self._more:
            self._ended = True
            self._more.notify_all()

    def wait_for(self, expected: list[str]) -> str:
        """Waits until the lines have come; what is wrong, or nothing."""
        with self._more:
            self._more.wait_for(
                lambda: self._ended or first_missing(expected, self._lines) is None, timeout=PATIENCE
            )
            missing = first_missing(expected, self._lines)
            if missing is not None:
                return f"did not print: {missing}\nbut:\n" + "\n".join(self._lines)
            return f"ended by itself with {self._process.wait()}" if self._ended else ""

    def stop(self) -> int:
        """Stops it as a terminal does on Ctrl-C; the exit code, 0 where that is how it should end."""
        ended_by_itself = self._process.poll() is not None
        self._process.send_signal(signal.SIGINT)
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()
        if ended_by_itself:
            return code or 1
        return 0 if code in {0, 130} else code


def first_missing(expected: list[str], output: list[str]) -> str | None:
    """The first expected line that does not come in the output after those before it, or None."""
    lines = iter(output)
    for wanted in expected:
        if wanted.strip() in {"", "..."}:
            continue
        pattern = re.compile(".*".join(re.escape(part) for part in wanted.strip().split("...")))
        if not any(pattern.search(line) for line in lines):
            return wanted
    return None


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
