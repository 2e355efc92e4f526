import pytest

from loom_testing.harness.errors import HarnessError
from loom_testing.harness.script import Script
from loom_testing.harness.seen import SeenCall


class Clock:
    """As much of a Context as a script uses."""

    def __init__(self):
        self.slept = []

    async def sleep(self, seconds):
        self.slept.append(seconds)


async def answers(script, *arguments, clock=None):
    return [await script.answer(SeenCall("c", item, ""), clock or Clock()) for item in arguments]


async def test_answers_come_in_their_order_and_the_last_stays():
    script = Script("s").returns(1).then.returns({"n": 2})
    assert await answers(script, {}, {}, {}) == [1, {"n": 2}, {"n": 2}]


async def test_an_error_is_raised():
    script = Script("s").raises(ValueError("busy")).then.returns(1)
    with pytest.raises(ValueError, match="busy"):
        await answers(script, {})
    assert await answers(script, {}) == [1]


async def test_a_function_is_given_the_arguments_by_name():
    async def later(a, b):
        return a - b

    assert await answers(Script("s").calls(lambda a, b: a + b), {"a": 1, "b": 2}) == [3]
    assert await answers(Script("s").calls(later), {"a": 1, "b": 2}) == [-1]
    assert await answers(Script("s").calls(len), [1, 2, 3]) == [3]


async def test_an_answer_may_take_its_time():
    clock = Clock()
    script = Script("s").returns(1).then.after(30).returns(2).then.returns(3)
    assert await answers(script, {}, {}, {}, clock=clock) == [1, 2, 3]
    assert clock.slept == [30]


async def test_some_calls_have_a_script_of_their_own():
    script = Script("s")
    script.when(language="fr").returns("salut").then.returns("bonjour")
    script.when(language="de").raises(KeyError("de"))
    script.returns("hello")
    fr, en = {"language": "fr", "name": "Ada"}, {"language": "en"}
    assert await answers(script, fr, en, fr, fr) == ["salut", "hello", "bonjour", "bonjour"]
    with pytest.raises(KeyError):
        await answers(script, {"language": "de"})


async def test_a_call_that_no_branch_answers_says_so():
    script = Script("the stub of llm")
    assert script.is_empty
    script.when(a=1).returns(1)
    assert not script.is_empty
    with pytest.raises(HarnessError, match=r"the stub of llm was called with \{'a': 2\} and has no answer"):
        await answers(script, {"a": 2})


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (lambda: Script("s").returns(1).returns(2), r"write \.then before the next"),
        (lambda: Script("s").returns(1).after(2), r"write \.then before the next"),
        (lambda: Script("s").then, r"say an answer before \.then"),
        (lambda: Script("s").returns(1).then.then, r"say an answer before \.then"),
        (lambda: Script("s").after(-1), r"after\(-1\): give seconds from 0"),
        (lambda: Script("s").after(float("nan")), "give seconds from 0"),
        (lambda: Script("s").raises("busy"), "give an exception"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, text):
    with pytest.raises(HarnessError, match=text):
        wrong()


def test_a_delay_is_a_number():
    with pytest.raises(HarnessError, match=r"after\('3'\): give seconds from 0"):
        Script("the stub").after("3")
