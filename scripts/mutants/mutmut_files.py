"""What mutmut writes, read: its mutated files, its results, its log."""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from scripts.mutants.mutant import CannotTryError, Mutant, Outcome, numbered

__all__ = ["last_words", "outcome_of", "progress", "read_mutants", "killed_alone"]

OUTCOMES = {
    **dict.fromkeys((1, 3, -11), Outcome.KILLED),  # a failed test, one that broke pytest, a crash
    **dict.fromkeys((0, 5, 33), Outcome.SURVIVED),  # also where no test runs the function
    **dict.fromkeys((24, 36, 152, 255, -24, -9), Outcome.TIMEOUT),
}
STAND = {code for code, outcome in OUTCOMES.items() if outcome is Outcome.KILLED}
"""Exit codes that a resumed run need not ask for again; a timeout may have been a busy machine's."""

Span = tuple[int, int]
"""The first and the last line of a function, counted from 1."""


def read_mutants(path: Path, source: str, mutated: str, spans: Mapping[str, Span]) -> list[Mutant]:
    """The mutants of one file: each is a function of the mutated file, beside the original one."""
    starts = function_lines(source)
    lines = mutated.splitlines()
    module = ".".join(path.with_suffix("").parts)
    made = []
    for name, span in spans.items():
        base, _, number = name.partition("__mutmut_")
        if number == "orig":
            continue
        function = base.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
        original = body(lines, spans[f"{base}__mutmut_orig"])
        first, change = difference(original, body(lines, span))
        made.append(Mutant(path.name, function, change, starts[function] + first, f"{module}.{name}"))
    return numbered(made)


def function_lines(source: str) -> dict[str, int]:
    """The line of each function's `def`, by its name with its class."""
    found = {}
    for node in ast.parse(source).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        for one in inner:
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
                found[prefix + one.name] = one.lineno
    return found


def body(lines: list[str], span: Span) -> list[str]:
    """The lines of a function from its `def` on, without its name."""
    text = lines[span[0] - 1 : span[1]]
    begin = next(place for place, line in enumerate(text) if re.match(r"\s*(async )?def ", line))
    return [re.sub(r"def \S+?\(", "def (", text[begin], count=1), *text[begin + 1 :]]


def difference(original: list[str], changed: list[str]) -> tuple[int, str]:
    """How far below the `def` they differ first, and what stood there, an arrow, what stands there now."""
    matcher = difflib.SequenceMatcher(None, original, changed, autojunk=False)
    parts = [part for part in matcher.get_opcodes() if part[0] != "equal"]
    before = [line for part in parts for line in original[part[1] : part[2]]]
    after = [line for part in parts for line in changed[part[3] : part[4]]]
    return parts[0][1], f"{joined(before)} → {joined(after)}"


def joined(lines: Iterable[str]) -> str:
    """The lines as one, without their indentation; `nothing` for none."""
    return " ".join(line.strip() for line in lines) or "nothing"


def outcome_of(name: str, code: int | None) -> Outcome:
    """What an exit code means.

    Raises:
        CannotTryError: nothing that is known.
    """
    if code not in OUTCOMES:
        raise CannotTryError(f"mutmut could not try {name}: exit code {code}")
    return OUTCOMES[code]


def killed_alone(results: str) -> str:
    """The results of one file, with all to be tried again that was not killed."""
    data = json.loads(results)
    codes = data["exit_code_by_key"]
    data["exit_code_by_key"] = {name: code if code in STAND else None for name, code in codes.items()}
    return json.dumps(data, indent=4)


def progress(log: str) -> str:
    """How far mutmut is, by its log."""
    found = re.findall(r"(\d+)/(\d+)  🎉 (\d+)", log)
    if not found:
        return "makes the mutants and runs the tests without any"
    tried, total, killed = found[-1]
    return f"{tried} of {total} mutants tried, {killed} killed"


def last_words(log: str) -> str:
    """The last line that says something, for an error of one line."""
    lines = [line.strip() for line in log.replace("\r", "\n").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
