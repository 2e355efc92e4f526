"""What makes two calls the same, and how large one is."""

from __future__ import annotations

from loom_testing.engine.call import Call, Waiter, same_content
from loom_testing.engine.messages import ActionCall


def test_content_is_capability_version_and_payload() -> None:
    call = ActionCall("id", "c", "1", b"p", {"h": "1"}, 5, "thread", 1)
    assert same_content(call, ActionCall("other", "c", "1", b"p"))
    assert not same_content(call, ActionCall("id", "d", "1", b"p"))
    assert not same_content(call, ActionCall("id", "c", "2", b"p"))
    assert not same_content(call, ActionCall("id", "c", "1", b"q"))


def test_size_counts_payload_and_headers_in_bytes() -> None:
    assert Call(1, "id", ActionCall(payload=b"abc", headers={"é": "xy"}), None).size == 3 + 2 + 2


def test_the_deadline_is_that_of_the_last_caller() -> None:
    call = Call(1, "id", ActionCall(), None)
    call.waiters = {1: Waiter(1, 1, "a", 50), 2: Waiter(2, 1, "b", 70)}
    assert call.deadline() == 70
