import grpc
import pytest

from loom.v1 import action_pb2, agent_pb2, stream_pb2
from loom_conformance import expect
from loom_conformance.expect import Violation
from loom_conformance.stream import End


@pytest.fixture(autouse=True)
def counted():
    expect.counting()


def test_what_holds_is_counted_and_what_does_not_as_well():
    expect.equal(1, 1, "one")
    with pytest.raises(Violation, match=r"^one: expected 2, got 1$") as violation:
        expect.equal(1, 2, "one")
    assert (violation.value.what, violation.value.expected, violation.value.got) == ("one", "2", "1")
    assert expect.counted() == 2


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        (lambda: expect.at_most(3, 2, "w"), "w: expected at most 2, got 3"),
        (lambda: expect.contains("abc", ["B", "x"], "w"), "w: expected 'x' in the text, got 'abc'"),
        (lambda: expect.nothing([1], "w"), r"w: expected nothing, got \[1\]"),
        (lambda: expect.true(0, "w"), "w: expected true, got false"),
        (lambda: expect.fail("w", expected="peace", got="war"), "w: expected peace, got war"),
    ],
)
def test_what_does_not_hold_says_so(broken, text):
    with pytest.raises(Violation, match=f"^{text}$"):
        broken()


def test_an_err_counts_only_for_its_reason():
    event = stream_pb2.ServerEvent(err=stream_pb2.Error(code="INVALID_TOPIC", message="topic a..b", ref="7"))
    expect.err(event, "INVALID_TOPIC", "it", ref="7", names="A..B")
    for wrong in (
        {"code": "OTHER"},
        {"ref": "8"},
        {"names": "c..d"},
        {"fatal": True},
    ):
        with pytest.raises(Violation):
            expect.err(event, **{"code": "INVALID_TOPIC", "what": "it", **wrong})
    with pytest.raises(Violation, match="the kind of the answer: expected 'err', got 'nothing'"):
        expect.err(stream_pb2.ServerEvent(), "INVALID_TOPIC", "it")


def test_a_refused_registration_needs_a_reason():
    refused = agent_pb2.AgentRegisterResponse(error_message="agent id is empty", error_code="INVALID_INPUT")
    expect.refused(refused, "it", code="INVALID_INPUT", names="empty")
    for wrong in (
        agent_pb2.AgentRegisterResponse(success=True, error_message="empty"),
        agent_pb2.AgentRegisterResponse(),
        agent_pb2.AgentRegisterResponse(error_message="no", error_code="INVALID_INPUT"),
        agent_pb2.AgentRegisterResponse(error_message="empty", error_code="OTHER"),
    ):
        with pytest.raises(Violation):
            expect.refused(wrong, "it", code="INVALID_INPUT", names="empty")


def test_a_result_is_told_by_status_code_and_output():
    got = action_pb2.ActionResult(
        status=action_pb2.ACTION_ERROR, output=b"o", error=action_pb2.ActionError(code="C", message="m x")
    )
    expect.result(got, "ACTION_ERROR", "it", code="C", output=b"o", names="x")
    for wrong in ({"status": "ACTION_OK"}, {"code": "D"}, {"output": b""}, {"names": "y"}):
        with pytest.raises(Violation):
            expect.result(got, **{"status": "ACTION_ERROR", "what": "it", **wrong})


def test_a_status_may_be_one_of_several():
    end = End(grpc.StatusCode.INTERNAL, "nesting")
    expect.status(end, (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL), "it", names="nesting")
    with pytest.raises(Violation, match=r"expected UNKNOWN, got INTERNAL \(nesting\)"):
        expect.status(end, grpc.StatusCode.UNKNOWN, "it")


def test_long_values_are_cut():
    text = expect.shown(b"x" * 10_000)
    assert len(text) < expect.SHOWN + 40
    assert text.endswith("(10003 characters)")
    assert expect.shown([stream_pb2.Flow(credit=3)]) == "[Flow(credit: 3)]"
