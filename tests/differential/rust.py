"""The Rust engine as tests see it: a program that answers lines."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BUILT = [ROOT / "bridge" / "target" / profile / "loom-engine" for profile in ("release", "debug")]
HOW = "build it with `cargo build --manifest-path bridge/Cargo.toml`, or name it in LOOM_ENGINE_BIN"


class NoEngineError(Exception):
    """The Rust engine was not found; the text says what to do."""


def find_binary() -> Path:
    """The program: the one that LOOM_ENGINE_BIN names, else the newest that cargo built here.

    Raises:
        NoEngineError: there is none.
    """
    named = os.environ.get("LOOM_ENGINE_BIN")
    if named:
        if not Path(named).is_file():
            raise NoEngineError(f"LOOM_ENGINE_BIN is {named}, where there is no file; {HOW}")
        return Path(named)
    built = [path for path in BUILT if path.is_file()]
    if not built:
        raise NoEngineError(f"there is no Rust engine; {HOW}")
    return max(built, key=lambda path: path.stat().st_mtime)


class RustEngine:
    """The program, run as it is needed."""

    def __init__(self, binary: Path) -> None:
        self.binary = binary

    def tables(self) -> dict[str, Any]:
        """Its names and tables."""
        tables: dict[str, Any] = json.loads(self._run("tables").stdout)
        return tables

    def replay(self, *traces: Path) -> subprocess.CompletedProcess[str]:
        """Replays traces; ends with 0, or with 1 where there is a difference."""
        return self._run("replay", *map(str, traces))

    def recode(self, lines: str) -> str:
        """The lines of traces, read and written anew."""
        done = self._run("recode", lines=lines)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def answers(self, header: str, steps: list[str]) -> list[str]:
        """What a fresh engine answers to each step; where it fell over, the last is what it said of it."""
        done = self._run("pipe", lines="\n".join([header, *steps, ""]))
        answers = done.stdout.splitlines()
        return answers if done.returncode == 0 else [*answers, done.stderr]

    def pipe(self) -> subprocess.Popen[str]:
        """The program at the end of a pipe, line by line."""
        return subprocess.Popen(
            [self.binary, "pipe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )

    def _run(self, *arguments: str, lines: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.binary, *arguments], input=lines, capture_output=True, encoding="utf-8", check=False
        )


class RustPipe:
    """The Rust engine at the end of a pipe: a few steps at a time, one engine after the other."""

    def __init__(self, binary: Path) -> None:
        self._binary = binary
        self._program: subprocess.Popen[bytes] | None = None

    def begin(self, header: str) -> None:
        """A fresh engine."""
        if self._program is None:
            self._program = subprocess.Popen(
                [self._binary, "pipe"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        self._write(header)

    def ask(self, steps: list[str]) -> list[str]:
        """What the engine answers to each step; where it fell over, the last is what it said of it."""
        assert self._program is not None
        assert self._program.stdout is not None
        self._write("\n".join(steps))
        answers = []
        for _ in steps:
            line = self._program.stdout.readline()
            if not line.endswith(b"\n"):
                return [*answers, f"fell over: {self._last_words()}"]
            answers.append(line.decode().rstrip("\n"))
        return answers

    def close(self) -> None:
        """Ends the program."""
        if self._program is not None:
            self._last_words()

    def _write(self, line: str) -> None:
        assert self._program is not None
        assert self._program.stdin is not None
        with contextlib.suppress(
            BrokenPipeError
        ):  # what it said of its end is read where an answer is awaited
            self._program.stdin.write(line.encode() + b"\n")
            self._program.stdin.flush()

    def _last_words(self) -> str:
        program, self._program = self._program, None
        assert program is not None
        said = program.communicate()[1].decode(errors="replace").strip()
        return said or f"exit code {program.returncode}"
