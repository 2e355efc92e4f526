"""Random operations: both engines answer the same, to the byte."""

from __future__ import annotations

import os
import random
from collections import Counter as Tally

import pytest

from loom.codes import CODES, Code
from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from loom_testing.engine import outputs as o
from loom_testing.engine import registration
from loom_testing.engine.counters import Counter
from loom_testing.engine.trace import Header, encode_header, encode_step
from tests.differential import compare
from tests.differential.compare import answer, diverge, run
from tests.differential.operations import START, STEPS, Operations
from tests.differential.rust import RustEngine

OPERATIONS = int(os.environ.get("LOOM_TEST_OPERATIONS", "3000"))
"""How many operations with fresh seeds; more of them find more."""
SAID_BY_OTHERS = {
    Code.INVALID_OUTPUT,
    Code.CAPABILITY_ERROR,
    Code.PERMISSION_DENIED,
    Code.UNAUTHENTICATED,
    *(code for code in Code if CODES[code].clause == "SDK"),
    Code.NO_SUBSCRIBERS,
    Code.AGENT_GONE,
}
"""Codes that no engine says: a shell's, a provider's, or the SDK's own."""


@pytest.mark.parametrize("seed", range(10))
def test_known_seeds(rust: RustEngine, seed: int) -> None:
    run(seed, rust)


def test_fresh_seeds(rust: RustEngine) -> None:
    named = os.environ.get("LOOM_TEST_SEED")
    if named:
        run(int(named), rust)
        return
    for _ in range(-(-OPERATIONS // STEPS)):
        run(random.SystemRandom().getrandbits(48), rust)


def test_step_by_step_over_the_pipe(rust: RustEngine) -> None:
    """The answer to one line comes before the next line is written."""
    operations = Operations(1)
    with rust.pipe() as program:
        assert program.stdin
        assert program.stdout
        program.stdin.write(encode_header(operations.header) + "\n")
        for _ in range(100):
            now, came_in, outputs = operations.step()
            program.stdin.write(encode_step(now, came_in, []) + "\n")
            program.stdin.flush()
            line = program.stdout.readline().rstrip("\n")
            assert line == answer(outputs, operations.engine.next_deadline())
        program.stdin.close()
        assert program.wait(10) == 0


def test_a_difference_is_found_made_small_and_kept(rust: RustEngine, tmp_path, monkeypatch) -> None:
    """One engine is changed, and the comparison must say so."""
    monkeypatch.setattr(compare, "KEPT", tmp_path)
    monkeypatch.setattr(registration, "FEATURES", ("session",))
    with pytest.raises(AssertionError, match=r"seed 3 .*step 1: (?s:.*)made small: step 1: (?s:.*)kept in"):
        run(3, rust)
    (kept,) = tmp_path.iterdir()
    assert len(kept.read_text().splitlines()) == 2
    done = rust.replay(kept)
    assert done.returncode == 1
    assert f"{kept}:2: the engine answers otherwise from output 1" in done.stderr


def test_an_engine_that_falls_over_is_a_difference(rust: RustEngine) -> None:
    nonsense = encode_step(START, i.Open(1), []).replace("open", "opened")
    (said,) = rust.answers(encode_header(Header(START, {})), [nonsense])
    assert "not a step" in said
    assert diverge(Header(START, {}), [(START, i.Open(1))], rust) is None


def test_the_operations_reach_everything() -> None:
    """Green would mean little if the operations never came near what the engines can do."""
    seen: Tally[str] = Tally()
    for seed in range(60):
        operations = Operations(seed)
        for _ in range(STEPS):
            _, came_in, outputs = operations.step()
            seen[type(came_in).__name__] += 1
            for output in outputs:
                seen.update(_what(output))
    wanted = {kind.__name__ for union in (i.Input, o.Output, m.ServerMessage) for kind in union.__args__}
    wanted |= {str(counter) for counter in Counter} | {str(code) for code in set(Code) - SAID_BY_OTHERS}
    assert sorted(wanted - seen.keys()) == []


def _what(output: o.Output) -> list[str]:
    """The names of what an output shows."""
    found = [type(output).__name__]
    match output:
        case o.RegisterReply(error_code=code):
            found.append(code)
        case o.Send(_, message):
            found += [type(message).__name__, str(getattr(message, "code", ""))]
        case o.End(_, _, message):
            found.append(message.partition(":")[0])
        case o.Answer(_, result) if result.error:
            found.append(result.error.code)
        case o.SnapshotReply(counters=counters):
            found += counters
        case _:
            pass
    return found
