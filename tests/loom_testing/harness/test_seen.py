from unittest.mock import ANY

from loom_testing.harness.expected import UNSET
from loom_testing.harness.seen import Calls, SeenCall

A = SeenCall("llm.complete", {"prompt": "hi", "options": {"n": 2, "m": 3}}, "writer")
B = SeenCall("llm.embed", {"text": "hi"}, "")
ALL = Calls([A, B])


def test_calls_of_a_capability_by_an_agent_or_with_arguments():
    assert ALL.of("llm.complete") == [A]
    assert ALL.by("writer") == [A]
    assert ALL.by("") == [B]
    assert ALL.having(prompt=ANY, options={"n": 2}) == [A]
    assert ALL.of("llm.embed").having(text="ho") == []


def test_what_does_not_fit_is_named():
    assert A.misfits(UNSET) == []
    assert A.misfits({"options": {"n": 2}}, "writer") == []
    assert [misfit.path for misfit in A.misfits({"options": {"n": 1}}, "reader")] == [
        "arguments.options.n",
        "caller",
    ]
