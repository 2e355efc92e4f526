"""The tables: sound, complete, and walked in full by the kept traces."""

from __future__ import annotations

from typing import Any

import pytest

from loom_testing.engine import calls, registration, sessions, states
from loom_testing.engine.states import CALL, SESSION, STREAM, CallState, SessionState, StreamState, step
from tests.loom_testing.engine.conftest import TRACES, replay

TABLES: list[tuple[dict[Any, Any], Any, set[Any]]] = [
    (SESSION, SessionState.NEW, {SessionState.CLOSED}),
    (STREAM, StreamState.AWAITING, {StreamState.ENDED}),
    (
        CALL,
        CallState.QUEUED,
        {CallState.COMPLETED, CallState.FAILED, CallState.TIMED_OUT, CallState.CANCELLED},
    ),
]


@pytest.mark.parametrize(("table", "first", "last"), TABLES)
def test_every_state_is_reached_and_every_end_is_one(table: Any, first: Any, last: Any) -> None:
    states_of: Any = type(first)
    assert set(states_of) == {first} | set(table.values())
    assert {state for state in states_of if not any(before is state for before, _ in table)} == last


def test_what_is_not_in_a_table_cannot_happen() -> None:
    with pytest.raises(AssertionError, match="no transition from COMPLETED on dispatch"):
        step(CALL, CallState.COMPLETED, states.CallTrigger.DISPATCH)


def test_the_kept_traces_walk_every_transition(monkeypatch: pytest.MonkeyPatch) -> None:
    walked = set()

    def observe(table: Any, state: Any, trigger: Any) -> Any:
        walked.add((type(state), state, trigger))
        return step(table, state, trigger)

    for module in (calls, registration, sessions):
        monkeypatch.setattr(module, "step", observe)
    for path in TRACES.glob("*.jsonl"):
        replay(path.read_text(encoding="utf-8").splitlines())
    known = {(type(state), state, trigger) for table, _, _ in TABLES for state, trigger in table}
    assert known - walked == set()
