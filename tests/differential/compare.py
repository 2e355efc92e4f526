"""Runs operations through both engines, finds the first difference, and makes the case small."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loom_testing.engine import Engine
from loom_testing.engine.inputs import Input, Tick
from loom_testing.engine.outputs import Output
from loom_testing.engine.trace import Header, encode_header, encode_step
from tests.differential.operations import STEPS, Operations
from tests.differential.rust import ROOT, RustEngine

KEPT = ROOT / "out" / "differential"
"""Where failing cases are kept, as traces with what the Python engine answers."""

Timed = tuple[int, Input]
_TICK = Tick()


@dataclass(slots=True)
class Difference:
    """Where the engines part."""

    place: int
    step: str
    python: str
    rust: str

    def __str__(self) -> str:
        return f"step {self.place + 1}: {self.step}\n  python: {self.python}\n  rust:   {self.rust}"


def run(seed: int, rust: RustEngine, steps: int = STEPS) -> None:
    """One case; a difference fails, is made small, and is kept as a trace."""
    operations = Operations(seed)
    asked, expected, inputs = [], [], []
    for _ in range(steps):
        now, came_in, outputs = operations.step()
        asked.append(encode_step(now, came_in, []))
        expected.append(answer(outputs, operations.engine.next_deadline()))
        inputs.append((now, came_in))
    difference = compare(asked, expected, rust.answers(encode_header(operations.header), asked))
    if difference is not None:
        small = shrink(operations.header, inputs[: difference.place + 1], rust)
        path = keep(operations.header, small, f"seed-{seed}")
        told = f"seed {seed} (repeat it by LOOM_TEST_SEED={seed}); {difference}"
        raise AssertionError(f"{told}\nmade small: {diverge(operations.header, small, rust)}\nkept in {path}")


def answer(outputs: list[Output], deadline: int | None) -> str:
    """What the Rust engine is to answer, as a line."""
    nothing = encode_step(0, _TICK, [])
    encoded = encode_step(0, _TICK, outputs)[len(nothing) - 3 : -1]
    return f'{{"out":{encoded},"next":{"null" if deadline is None else deadline}}}'


def compare(asked: list[str], expected: list[str], answered: list[str]) -> Difference | None:
    """The first difference; an engine that fell over answers too little."""
    for place, (step, python) in enumerate(zip(asked, expected, strict=True)):
        rust = answered[place] if place < len(answered) else "nothing"
        if python != rust:
            return Difference(place, step, python, rust)
    return None


def diverge(header: Header, inputs: list[Timed], rust: RustEngine) -> Difference | None:
    """Feeds inputs to fresh engines; the first difference."""
    engine = Engine(header.created, header.engine_limits(), liveness=header.liveness)
    asked, expected = [], []
    for now, came_in in inputs:
        asked.append(encode_step(now, came_in, []))
        expected.append(answer(engine.handle(came_in, now), engine.next_deadline()))
    return compare(asked, expected, rust.answers(encode_header(header), asked))


def shrink(header: Header, inputs: list[Timed], rust: RustEngine) -> list[Timed]:
    """Leaves out whatever the difference does not need: halves, quarters, down to single inputs."""
    size = len(inputs) // 2
    while size:
        place = 0
        while place < len(inputs):
            fewer = inputs[:place] + inputs[place + size :]
            difference = diverge(header, fewer, rust)
            if difference is None:
                place += size
            else:
                inputs = fewer[: difference.place + 1]
        size //= 2
    return inputs


def keep(header: Header, inputs: list[Timed], name: str) -> Path:
    """Writes a case as the trace that the Python engine makes of it."""
    engine = Engine(header.created, header.engine_limits(), liveness=header.liveness)
    lines = [encode_header(header)]
    lines += [encode_step(now, came_in, engine.handle(came_in, now)) for now, came_in in inputs]
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{name}.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
