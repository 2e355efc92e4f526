"""Mutants of the engine in Rust, made and tried by cargo-mutants.

It copies the workspace, changes one place, builds, and runs tests until the first that fails: at first only
the kept traces and the tests that look from outside, which build in a second and notice nearly all; then,
for what is left, all the crate's tests.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from scripts.mutants.cargo_files import read_mutants, read_outcomes
from scripts.mutants.engine import Engine, say
from scripts.mutants.mutant import CannotTryError, Mutant, Outcome

__all__ = ["CARGO_MUTANTS", "RustEngine"]

CARGO_MUTANTS = "27.1.0"
TOOL = f"cargo-mutants {CARGO_MUTANTS}"
DONE = {0, 2, 3}
"""Its exit codes where all mutants were tried: all noticed, some not, some timed out."""
FIRST = ("--cargo-arg=--test=engine", "--cargo-arg=--test=traces")
THEN = ("--cargo-arg=--lib", "--cargo-arg=--tests")
TIMES = ("--minimum-test-timeout=20", "--timeout-multiplier=5")


class RustEngine(Engine):
    """The engine of the bridge in Rust."""

    language = "rust"
    folder = "bridge/engine/src"
    suffix = ".rs"

    @property
    def workspace(self) -> Path:
        """Where the Rust workspace is."""
        return self.place.root / "bridge"

    @property
    def results(self) -> Path:
        """Where cargo-mutants writes, and what it resumes by."""
        return self.place.work / "rust"

    def versions(self) -> tuple[str, str]:
        """cargo-mutants, installed below the work folder where it is not there, and the compiler."""
        compiler = self._said("rustc", "--version")
        return self._said(*self._tool(), "--version"), " ".join(compiler.split()[:2])

    def mutants(self) -> list[Mutant]:
        """As cargo-mutants lists them."""
        listing = self._said(*self._tool(), "--package=loom-engine", "--list", "--json", cwd=self.workspace)
        return read_mutants(json.loads(listing), self.workspace)

    def attempt(self, mutants: Sequence[Mutant], *, chosen: bool, resume: bool) -> dict[Mutant, Outcome]:
        """Runs cargo-mutants on a copy of the workspace."""
        if not resume:
            shutil.rmtree(self.results, ignore_errors=True)
        self.results.mkdir(parents=True, exist_ok=True)
        self._ingest()
        self._forget_changed()
        outcomes = self._known()
        names = [mutant.name for mutant in mutants] if chosen else []
        for tests in (FIRST, THEN):
            self._run(names, tests)
            outcomes = self._ingest()
        left = sum(1 for mutant in mutants if mutant.name not in outcomes)
        if left:
            raise CannotTryError(f"{left} mutants of Rust were not tried; go on with --resume")
        return {mutant: outcomes[mutant.name] for mutant in mutants}

    def _ingest(self) -> dict[str, Outcome]:
        """Adds what cargo-mutants last wrote to what is known of the runs before it, and keeps that."""
        outcomes = self._known()
        latest = self.results / "mutants.out" / "outcomes.json"
        if latest.exists():
            outcomes |= read_outcomes(json.loads(latest.read_text(encoding="utf-8")))
            self._keep(outcomes)
        return outcomes

    def _known(self) -> dict[str, Outcome]:
        kept = self.results / "outcomes.json"
        known = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        return {name: Outcome(outcome) for name, outcome in known.items()}

    def _keep(self, outcomes: dict[str, Outcome]) -> None:
        (self.results / "outcomes.json").write_text(json.dumps(outcomes, indent=1), encoding="utf-8")

    def _forget_changed(self) -> None:
        """Forgets the mutants of files that are not as they were: their names tell places, not contents."""
        kept = self.results / "sources.json"
        before = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        sources = sorted((self.place.root / self.folder).glob("*.rs"))
        now = {f"engine/src/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in sources}
        same = {name for name, digest in now.items() if before.get(name) == digest}
        for path in (self.results / "mutants.out").glob("*.txt"):
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            path.write_text(
                "".join(line for line in lines if line.partition(":")[0] in same), encoding="utf-8"
            )
        self._keep({name: what for name, what in self._known().items() if name.partition(":")[0] in same})
        (self.results / "mutants.out" / "outcomes.json").unlink(missing_ok=True)
        kept.write_text(json.dumps(now, indent=1), encoding="utf-8")

    def _run(self, names: list[str], tests: Sequence[str]) -> None:
        command = [*self._tool(), "--package=loom-engine", "--test-package=loom-engine", *tests, *TIMES]
        command += ["--iterate", f"--jobs={self.place.jobs}", f"--output={self.results}", "--colors=never"]
        # The pattern is not asked about every kind of mutant, the file is.
        command += [f"--file={file}" for file in sorted({name.partition(":")[0] for name in names})]
        command += [f"--re=^{re.escape(name)}$" for name in names]
        environment = {
            **os.environ,
            "CARGO_PROFILE_DEV_DEBUG": "false",
            "CARGO_PROFILE_TEST_DEBUG": "false",
            "LOOM_TRACES": str(self.place.root / "conformance" / "traces"),
            "PROPTEST_CASES": "32",
        }
        # Its progress goes where ours does.
        done = subprocess.run(command, cwd=self.workspace, env=environment, stdout=2, check=False)  # noqa: S603  # our own words
        if done.returncode not in DONE:
            raise CannotTryError(
                f"cargo-mutants gave up with exit code {done.returncode}; its message above says why"
            )

    def _tool(self) -> tuple[str, ...]:
        name = "cargo-mutants"
        own = self.place.work.parent / "cargo" / "bin" / name
        for program in (str(own), shutil.which(name)):
            if program and Path(program).exists() and self._said(program, "mutants", "--version") == TOOL:
                return (program, "mutants")
        self._install(own.parent.parent)
        return (str(own), "mutants")

    def _install(self, root: Path) -> None:
        say(f"installing {TOOL}; two minutes, once")
        if shutil.which("cargo") is None:
            raise CannotTryError(
                "cargo is not installed; scripts/system-packages.sh says how, or name python only"
            )
        command = ["cargo", "install", "cargo-mutants", "--version", CARGO_MUTANTS, "--locked", "--quiet"]
        done = subprocess.run([*command, "--root", str(root)], check=False)  # noqa: S603  # our own words
        if done.returncode != 0:
            raise CannotTryError("cargo could not install cargo-mutants; its message above says why")

    def _said(self, *command: str, cwd: Path | None = None) -> str:
        try:
            done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603  # our own words
        except OSError as error:
            raise CannotTryError(f"{command[0]} cannot be run: {error.strerror}") from None
        if done.returncode != 0:
            words = done.stderr.strip().splitlines() or ["it said nothing"]
            raise CannotTryError(f"{Path(command[0]).name} failed: {words[-1]}")
        return done.stdout.strip()
