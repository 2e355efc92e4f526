"""Mutants of the engine in Python, made and tried by mutmut.

mutmut loads all mutants of a function beside it, collects which tests run which function, and tries each
mutant in a process forked from there, on those tests alone, until the first that fails. Its settings are in
`pyproject.toml`. It changes the bodies of functions; tables and defaults that stand outside are not changed,
nor are properties.
"""

from __future__ import annotations

import contextlib
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

from scripts.mutants.engine import Engine, say
from scripts.mutants.mutant import CannotTryError, Mutant, Outcome
from scripts.mutants.mutmut_files import killed_alone, last_words, outcome_of, progress, read_mutants
from scripts.mutants.workspace import mirror

__all__ = ["PythonEngine"]

COPIED = ("conformance/traces", "loom", "loom_testing", "tests", "pyproject.toml")
STALE = ("conformance", "loom", "tests", "mutmut-stats.json")
"""What mutmut copied or found out, and would not look at again."""
PROGRESS_SECONDS = 30


class PythonEngine(Engine):
    """The engine of the fake bridge."""

    language = "python"
    folder = "loom_testing/engine"
    suffix = ".py"

    @property
    def copy(self) -> Path:
        """Where mutmut runs."""
        return self.place.work / "python"

    def versions(self) -> tuple[str, str]:
        """mutmut and the interpreter."""
        try:
            version = metadata.version("mutmut")
        except metadata.PackageNotFoundError:
            raise CannotTryError("mutmut is not installed; run this as `make mutants`") from None
        return f"mutmut {version}", f"{platform.python_implementation()} {platform.python_version()}"

    def mutants(self) -> list[Mutant]:
        """As mutmut makes them of the copy."""
        from mutmut.mutation.file_mutation import mutate_file_contents  # only the mutants' lane has it

        mirror(self.place.root, COPIED, self.copy)
        made: list[Mutant] = []
        with contextlib.chdir(self.copy):  # mutmut's settings are read from where it runs
            for path in sorted(Path(self.folder).glob("*.py")):
                source = path.read_text(encoding="utf-8")
                mutated = mutate_file_contents(str(path), source)
                spans = mutated.line_span_by_function_name
                places = {name: (span.start, span.end) for name, span in spans.items()}
                made += read_mutants(path, source, mutated.code, places)
        return made

    def attempt(self, mutants: Sequence[Mutant], *, chosen: bool, resume: bool) -> dict[Mutant, Outcome]:
        """Runs mutmut in the copy."""
        mirror(self.place.root, COPIED, self.copy)
        self._clear(resume)
        self._run([mutant.name for mutant in mutants] if chosen else [])
        codes = dict(self._codes())
        left = sum(1 for mutant in mutants if codes.get(mutant.name) in {None, 2})
        if left:
            raise CannotTryError(f"{left} mutants of Python were not tried; go on with --resume")
        return {mutant: outcome_of(mutant.name, codes[mutant.name]) for mutant in mutants}

    def _clear(self, resume: bool) -> None:
        made = self.copy / "mutants"
        if not resume:
            shutil.rmtree(made, ignore_errors=True)
        for name in STALE:
            path = made / name
            path.unlink(missing_ok=True) if path.is_file() else shutil.rmtree(path, ignore_errors=True)
        for path in self._results():
            path.write_text(killed_alone(path.read_text(encoding="utf-8")), encoding="utf-8")

    def _run(self, names: list[str]) -> None:
        log = self.copy / "mutmut.log"
        command = [
            str(Path(sys.executable).with_name("mutmut")),
            "run",
            "--max-children",
            str(self.place.jobs),
        ]
        with (
            log.open("w", encoding="utf-8") as output,
            subprocess.Popen([*command, *names], cwd=self.copy, stdout=output, stderr=output) as running,  # noqa: S603  # our own words
        ):
            while goes_on(running):
                say(f"python {progress(log.read_text(encoding='utf-8'))}")
        if running.returncode != 0:
            raise CannotTryError(f"mutmut gave up: {last_words(log.read_text(encoding='utf-8'))}")

    def _codes(self) -> Iterator[tuple[str, int | None]]:
        for path in self._results():
            yield from json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"].items()

    def _results(self) -> list[Path]:
        return sorted((self.copy / "mutants" / self.folder).glob("*.meta"))


def goes_on(running: subprocess.Popen[bytes]) -> bool:
    """Waits a while; whether the process still runs."""
    try:
        running.wait(PROGRESS_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False
