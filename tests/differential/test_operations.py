"""Cases as they are kept."""

from __future__ import annotations

import pytest

from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from loom_testing.engine.trace import Header, TraceError, read_trace
from tests.differential.kept import keep, kept
from tests.differential.operations import Burst, Case, RawCall, RawMessage, Step, describe

STEPS = [
    Step(5, i.Open(1)),
    Step(6, i.Receive(1, m.Publish("a", b"\x00\xff", True, 7))),
    Step(6, Burst(1, [m.Ping(3), m.Goodbye()])),
    Step(7, RawMessage(1, b"\xff")),
    Step(8, RawCall(2, "RegisterAgent", b"\x00")),
]


@pytest.fixture
def case() -> Case:
    return Case("grpc", Header(5, {"queue_events": 1}, False, "a test"), list(STEPS))


def test_a_case_is_read_as_it_was_written(case: Case, tmp_path) -> None:
    assert Case.read(keep(case, tmp_path)) == case
    assert case.operations == 6


def test_what_is_kept_is_found_by_its_lane(case: Case, tmp_path) -> None:
    path = keep(case, tmp_path)
    assert keep(case, tmp_path) == path
    assert list(kept("grpc", tmp_path)) == [(path, case)]
    assert list(kept("engine", tmp_path)) == []


def test_a_case_of_inputs_is_a_trace(case: Case) -> None:
    case.steps = case.steps[:2]
    lines = case.text().replace('"lane":"grpc",', "").splitlines()
    header, steps = read_trace(lines)
    assert header == case.header
    assert [(step.at, step.input) for step in steps] == [(step.at, step.does) for step in case.steps]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the first line is no header of a kept case"),
        ('{"trace":1,"created":1,"limits":{}}\n', "the first line is no header of a kept case"),
        ('{"lane":"sea","trace":1,"created":1,"limits":{}}\n', "there is no lane 'sea'"),
        ('{"lane":"grpc","trace":9,"created":1,"limits":{}}\n', "trace version 9 is not 1"),
        ('{"lane":"grpc","trace":1,"created":1,"limits":{}}\n{"at":1,"raw":{"stream":1}}\n', "not a step"),
        ('{"lane":"grpc","trace":1,"created":1,"limits":{}}\n{"at":1,"burst":[]}\n', "not a step"),
        ('{"lane":"grpc","trace":1,"created":1,"limits":{}}\nnonsense\n', "not a step"),
    ],
)
def test_what_is_no_case_is_refused(tmp_path, text: str, told: str) -> None:
    path = tmp_path / "grpc-1.jsonl"
    path.write_text(text)
    with pytest.raises(TraceError) as refused:
        Case.read(path)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_step_as_inputs_of_an_engine() -> None:
    assert [step.inputs() for step in STEPS[1:4]] == [
        [STEPS[1].does],
        [i.Receive(1, m.Ping(3)), i.Receive(1, m.Goodbye())],
        [],
    ]


def test_an_operation_in_words() -> None:
    assert describe(STEPS[1].does) == (
        "Receive(stream=1, message=Publish(topic='a', event=b'\\x00\\xff', confirm=True, pub_seq=7))"
    )
    assert describe(m.Publish("x" * 70)) == f"Publish(topic='{'x' * 60}'... 70 characters, event=None)"
    assert describe(i.Register(1, "a", features=["f"], capabilities=[m.Capability("c")])) == (
        "Register(call=1, agent_id='a', capabilities=[Capability(name='c')], features=['f'])"
    )
