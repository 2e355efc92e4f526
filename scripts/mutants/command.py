"""The command: which engines, which mutants, and the verdict.

    python -m scripts.mutants [python] [rust] [--resume | --since COMMIT [--at-most N]] [--jobs N]

Without `--since` it is a full run: all mutants, kept in `conformance/mutation/LANGUAGE.json`. `--resume` goes
on with an interrupted one, or after tests were added: what was killed stands, the rest is tried again.
`--since COMMIT` tries those on lines that changed since; `last` is the commit of the kept full run, and where
the clone does not hold it, all lines of a file that is not as it was then count as changed. Exit codes:
0 every mutant was killed or is answered for; 1 one was not, or an answer is out of date, or too few were
killed; 2 usage; 3 they could not be tried.
"""

from __future__ import annotations

import argparse
import datetime
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.mutants import changes
from scripts.mutants.answers import Answers, read_answers
from scripts.mutants.engine import Engine, Place, limit_memory, say
from scripts.mutants.mutant import CannotTryError, Mutant, Outcome
from scripts.mutants.python_engine import PythonEngine
from scripts.mutants.record import GOAL, Record, make_record, read_record, score, write_record
from scripts.mutants.rust_engine import RustEngine

__all__ = ["ENGINES", "main"]

ROOT = Path(__file__).resolve().parents[2]
ENGINES: Mapping[str, type[Engine]] = {"python": PythonEngine, "rust": RustEngine}
REFUSED, CANNOT, INTERRUPTED = 1, 3, 130


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for."""

    languages: list[str]
    resume: bool
    since: str | None
    at_most: int | None
    jobs: int


def main(arguments: Sequence[str], root: Path = ROOT, engines: Mapping[str, type[Engine]] = ENGINES) -> int:
    """Runs the command; the exit code."""
    wish = read_arguments(arguments, engines)
    limit_memory()
    code = 0
    for language in wish.languages:
        try:
            code = max(code, judge(wish, language, root, engines[language]))
        except CannotTryError as error:
            say(str(error))
            code = CANNOT
        except KeyboardInterrupt:
            say(f"interrupted; a full run goes on with: {language} --resume")
            return INTERRUPTED
    return code


def read_arguments(arguments: Sequence[str], engines: Mapping[str, type[Engine]]) -> Wish:
    """Reads the command line; ends the process with 2 where it is wrong."""
    parser = argparse.ArgumentParser(prog="mutants", description="Mutate the engines, and see who notices.")
    parser.add_argument("languages", nargs="*", metavar="LANGUAGE", help=f"{' or '.join(engines)}; else all")
    parser.add_argument("--resume", action="store_true", help="go on: what was killed stands")
    parser.add_argument(
        "--since", metavar="COMMIT", help="only lines changed since; `last`: since the kept run"
    )
    parser.add_argument("--at-most", type=int, metavar="N", help="with --since: that many of each engine's")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="how many at once")
    found = parser.parse_args(arguments)
    unknown = [language for language in found.languages if language not in engines]
    if unknown:
        parser.error(f"no engine is called {unknown[0]}; there are: {', '.join(engines)}")
    if found.since is not None and found.resume:
        parser.error("--resume goes on with a full run; with --since there is nothing to go on with")
    if found.at_most is not None and (found.since is None or found.at_most < 1):
        parser.error("--at-most takes a number of at least 1, and goes with --since")
    if found.jobs < 1:
        parser.error("--jobs takes a number of at least 1")
    return Wish(found.languages or list(engines), found.resume, found.since, found.at_most, found.jobs)


def judge(wish: Wish, language: str, root: Path, make: type[Engine]) -> int:
    """One engine; 1 where its mutants show something that is to be done."""
    kept = root / "conformance" / "mutation"
    part = "full" if wish.since is None else "since"
    engine = make(Place(root, root / ".tox" / "mutants" / part, wish.jobs))
    answers = read_answers(kept / "answers.toml", language)
    if wish.since is None:
        return judge_all(engine, answers, kept / f"{language}.json", resume=wish.resume)
    lines, since = changes_since(engine, wish.since, read_record(kept / f"{language}.json"))
    return judge_changed(engine, answers, lines, since, wish.at_most)


def changes_since(engine: Engine, since: str, record: Record | None) -> tuple[changes.Lines, str]:
    """The lines to mutate, and in words since when they changed.

    Raises:
        CannotTryError: git knows no such commit, or does not answer.
    """
    root = engine.place.root
    base = changes.find_base(root, since, record.commit if record else None)
    if base is not None:
        return changes.changed_lines(root, base, engine.folder), base[:12]
    before = record.sources if record else {}
    return changes.changed_files(root, engine.folder, engine.suffix, before), "the kept run, by whole files"


def judge_all(engine: Engine, answers: Answers, path: Path, *, resume: bool) -> int:
    """A full run, kept."""
    root = engine.place.root
    sources = changes.digests(root, engine.folder, engine.suffix)
    commit = (changes.git(root, "rev-parse", "HEAD") or "unknown").strip()
    tool, compiler = engine.versions()
    mutants = engine.mutants()
    outcomes, seconds = engine.timed_attempt(mutants, chosen=False, resume=resume)
    versions = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": commit,
        "tool": tool,
        "compiler": compiler,
    }
    record = make_record(engine.language, versions, seconds, outcomes, answers.reasons, sources)
    write_record(path, record)
    show(f"kept in {path.relative_to(root)}")
    return verdict(engine.language, mutants, outcomes, answers, goal=GOAL)


def judge_changed(
    engine: Engine, answers: Answers, lines: changes.Lines, since: str, at_most: int | None
) -> int:
    """A run of the mutants on changed lines."""
    if not any(name.endswith(engine.suffix) for name in lines):
        show(f"{engine.language}: no line of the engine changed since {since}")
        return 0
    engine.versions()
    mutants = engine.mutants()
    found = changes.touched(mutants, lines)
    chosen = changes.drawn(found, at_most)
    show(f"{engine.language}: {len(found)} mutants on lines changed since {since}, {len(chosen)} are tried")
    outcomes, _ = engine.timed_attempt(chosen, chosen=True, resume=False) if chosen else ({}, 0.0)
    return verdict(engine.language, mutants, outcomes, answers, goal=0)


def verdict(
    language: str,
    mutants: Sequence[Mutant],
    outcomes: Mapping[Mutant, Outcome],
    answers: Answers,
    goal: float,
) -> int:
    """Prints what came out; 1 where something is to be done.

    Without a goal some mutants were tried, on whatever machine: there a timeout does not refute an answer.
    """
    counts = Counter(outcome.value for outcome in outcomes.values())
    share = score(counts)
    words = ", ".join(f"{counts[outcome.value]} {outcome.value}" for outcome in Outcome)
    show(f"{language}: {len(outcomes)} mutants, {words}; {share:.1f} % of those that compile noticed")
    problems = [f"survived, kill or answer it: {mutant}" for mutant in answers.unanswered(outcomes)]
    problems += [
        f"answered for, but noticed: {mutant}" for mutant in answers.refuted(outcomes, timeouts=goal > 0)
    ]
    problems += [f"an answer to no mutant: {' '.join(key)}" for key in answers.unmatched(mutants)]
    if share < goal:
        problems.append(f"{share:.2f} % noticed, at least {goal:.0f} % must be")
    for problem in problems:
        show(f"  {problem}")
    return REFUSED if problems else 0


def show(line: str) -> None:
    """A line of the result."""
    print(line, flush=True)  # noqa: T201  # a command's output
