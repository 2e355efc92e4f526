import pytest

from loom_testing.harness.errors import HarnessError
from loom_testing.harness.expected import UNSET
from loom_testing.harness.steps import expected_event, expected_step


def test_a_step_is_a_topic_a_payload_with_it_or_all_arguments():
    assert (expected_step("a.*").topic, expected_step("a").payload) == ("a.*", UNSET)
    assert expected_step(("a", {"n": 1})).payload == {"n": 1}
    step = expected_step({"topic": "a", "sender": "x"})
    assert (step.topic, step.sender) == ("a", "x")


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ({"topik": "a"}, "no 'topik'.*under payload"),
        (3, "3 is no step"),
        (("a",), "is no step"),
    ],
)
def test_what_is_no_step_says_so(step, text):
    with pytest.raises(HarnessError, match=text):
        expected_step(step)


def test_fields_are_entries_of_the_payload():
    assert expected_event("a", UNSET, None, None, None, {"n": 1}).payload == {"n": 1}
    assert expected_event("a", {"m": 2}, None, None, None, {"n": 1}).payload == {"m": 2, "n": 1}
    with pytest.raises(HarnessError, match="cannot be added to a list"):
        expected_event("a", [1], None, None, None, {"n": 1})
