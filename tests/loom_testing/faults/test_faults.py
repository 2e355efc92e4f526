"""What a test writes to have something go wrong."""

from __future__ import annotations

import pytest

from loom_testing.faults import FaultError, Faults, Rules, UnfiredError
from loom_testing.faults.verdict import Cut, Status
from tests.loom_testing.faults.messages import answer, call, delivery, publish, register, up


@pytest.fixture
def faults():
    return Faults(Rules(3))


def judged(faults, fault, message=None):
    with fault:
        return faults.rules.judge(message or publish())


def test_each_does_what_it_says(faults):
    assert judged(faults, faults.drop()).copies == 0
    assert judged(faults, faults.delay(2)).delay == 2_000_000
    assert judged(faults, faults.duplicate()).copies == 2
    assert judged(faults, faults.duplicate(4)).copies == 5
    assert judged(faults, faults.reorder(3)).behind == 3
    assert judged(faults, faults.corrupt(lambda data: b"x")).data == b"x"
    assert judged(faults, faults.disconnect(kind="publish", when="after")).cut is Cut.AFTER
    assert judged(faults, faults.stall(kind="publish")).stalled_by
    assert judged(faults, faults.slow(1)).size_delay > 0
    assert judged(faults, faults.fail("INTERNAL", "no")).answered == Status("INTERNAL", "no")


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("delay", {"seconds": 3}),
        ("duplicate", {"copies": 2}),
        ("reorder", {"by": 2}),
        ("corrupt", {"how": "garbage"}),
        ("disconnect", {"when": "after"}),
        ("slow", {"bytes_per_second": 5}),
        ("refuse", {"message": "closed"}),
        ("fail", {"status": "INTERNAL", "message": "no"}),
    ],
)
def test_each_takes_its_own_by_place_and_by_name(faults, name, given):
    make = getattr(faults, name)
    by_place, by_name = make(*given.values(), agent="a"), make(**given, agent="a")
    assert by_place.effect == by_name.effect
    for key, value in given.items():
        assert getattr(by_name.effect, key) == value


def test_as_they_were_written(faults):
    assert str(faults.delay(1.5, type="reply")) == "delay(1.5, kind='publish', type='reply')"
    assert str(faults.fail("INTERNAL", capability="c", times=1)) == (
        "fail('INTERNAL', direction='to_bridge', kind='call', capability='c', times=1)"
    )
    assert str(faults.refuse(times=2)) == "refuse(where=is_new, times=2)"


def test_the_seed(faults):
    assert faults.seed == 3


def test_a_lost_connection_is_lost_once_unless_messages_are_named(faults):
    assert faults.disconnect().times == 1
    assert faults.disconnect(agent="a").times == 1
    assert faults.disconnect(agent="a", times=2).times == 2
    assert faults.disconnect(kind="publish").times == 0


def test_refuse_is_about_who_wants_to_get_in(faults):
    with faults.refuse():
        for message in register(), up(first=True, ack={"message_id": "a"}):
            assert faults.rules.judge(message).answered == Status("UNAVAILABLE", "the bridge is not there")
        for message in publish(), call(), delivery(), answer(), up(ack={"message_id": "1"}):
            assert faults.rules.judge(message).answered is None


def test_refuse_with_a_function_is_about_those_who_want_to_get_in_that_it_fits(faults):
    def mine(message):
        return message.names == "mine"

    with faults.refuse(where=mine) as refused:
        assert str(refused) == "refuse(where=mine)"
        assert faults.rules.judge(register("mine")).answered
        assert not faults.rules.judge(register("other")).answered
        assert not faults.rules.judge(call(caller="mine")).answered


def test_refuse_with_a_kind_is_about_that(faults):
    with faults.refuse("closed", kind="call"):
        assert faults.rules.judge(call()).answered == Status("UNAVAILABLE", "closed")
        assert not faults.rules.judge(register()).answered


@pytest.mark.parametrize("name", ["fail", "refuse"])
@pytest.mark.parametrize("about", [{"direction": "to_agent"}, {"kind": "answer"}])
def test_what_goes_to_agents_cannot_be_answered(faults, name, about):
    with pytest.raises(
        FaultError, match=f"{name} is about what goes to the bridge: .*; drop answers instead"
    ):
        getattr(faults, name)(**about)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda faults: faults.drop(times=0), r"drop\(times=0\) never fires: give a number from 1 on"),
        (
            lambda faults: faults.drop(typ="x"),
            r"drop\(typ=\.\.\.\): a fault has no 'typ', but agent, direction",
        ),
        (lambda faults: faults.drop(kind="letter"), "kind='letter'"),
        (lambda faults: faults.drop(nth=0), "nth=0: give a number from 1 on, or leave it out"),
        (lambda faults: faults.drop(nth=False), "nth=False: give a number from 1 on"),
        (lambda faults: faults.drop(topic=""), "topic='': say which, or leave it out"),
        (lambda faults: faults.drop(kind=""), "kind='': say which"),
        (lambda faults: faults.drop(agent=""), "agent='': say which"),
        (lambda faults: faults.drop(optional="maybe"), "optional='maybe': give True or False"),
        (lambda faults: faults.refuse(topic="t"), r"refuse\(topic=\.\.\.\): who wants to get in says none"),
        (lambda faults: faults.refuse(capability="c"), r"refuse\(capability=\.\.\.\): "),
        (lambda faults: faults.refuse(rpc="Heartbeat"), "refuse is about RegisterAgent and EventStream"),
        (
            lambda faults: faults.slow(5, topic="t"),
            r"slow\(topic=\.\.\.\): a link is slow for all",
        ),
        (lambda faults: faults.slow(5, nth=2), r"slow\(nth=\.\.\.\): "),
        (lambda faults: faults.duplicate(kind="answer"), r"gRPC takes no second; duplicate what goes over"),
        (lambda faults: faults.duplicate(2, kind="registered", rpc="RegisterAgent"), "the one answer of"),
        (lambda faults: faults.delay(-1), r"delay\(-1\)"),
        (lambda faults: faults.slow(0), r"slow\(0\)"),
    ],
)
def test_what_cannot_be_is_refused(faults, make, said):
    with pytest.raises(FaultError, match=said):
        make(faults)


@pytest.mark.parametrize(
    "name", ["drop", "duplicate", "reorder", "corrupt", "disconnect", "stall", "refuse", "fail"]
)
def test_each_takes_what_all_take(faults, name):
    made = getattr(faults, name)(agent="a", times=2, probability=0.5, optional=True)
    assert (made.which.agent, made.times, made.probability, made.optional) == ("a", 2, 0.5, True)


def test_a_second_answer_is_none_that_grpc_takes(faults):
    with faults.duplicate() as fault:
        assert faults.rules.judge(answer()).copies == 1
        assert fault.met == 0
        assert faults.rules.judge(publish()).copies == 2
    streamed = faults.duplicate(kind="answer", rpc="ForwardActionStream")
    assert streamed.which.kind == "answer"


# One that never begins.


def test_one_that_never_begins_is_told_of_at_the_end(faults):
    faults.drop(topic="t")
    with pytest.raises(UnfiredError, match=r"topic='t'\) was never begun: put it into a with$"):
        faults.rules.finish()


def test_a_script_that_never_begins_is_told_of_as_one(faults, tmp_path):
    path = tmp_path / "faults.toml"
    path.write_text("[[fault]]\ndo = 'drop'\n", encoding="utf-8")
    faults.script(path)
    with pytest.raises(UnfiredError, match=r"^the script faults\.toml was never begun: put it into a with$"):
        faults.rules.finish()


def test_what_has_begun_is_not_told_of(faults):
    with faults.duplicate(), faults.script({"fault": [{"do": "delay", "seconds": 1}]}):
        faults.rules.judge(publish())
    contradicted = faults.duplicate(kind="publish")
    with faults.drop(kind="publish", optional=True), pytest.raises(FaultError, match="contradicts"):
        contradicted.start()
    with pytest.raises(FaultError):  # the script is none, and so is what was made of it before
        faults.script({"fault": [{"do": "drop"}, {"do": "melt"}]})
    faults.rules.finish()


def test_an_optional_one_may_never_begin(faults):
    faults.drop(optional=True)
    faults.script({"fault": [{"do": "drop", "optional": True}]})
    faults.rules.finish()


def test_what_nobody_ended_ends_with_the_test(faults):
    faults.drop(kind="publish").start()
    with pytest.raises(UnfiredError, match="never fired"):
        faults.rules.finish()
    assert faults.rules.in_force == []
