"""`Script`: what a stub answers, call by call."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from loom_testing.harness.errors import HarnessError
from loom_testing.harness.seen import SeenCall

if TYPE_CHECKING:
    from loom.context import Context

__all__ = ["Script"]


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer: a value, an error or a function; and how long it takes."""

    value: Any = None
    error: Exception | None = None
    function: Callable[..., Any] | None = None
    delay: float = 0.0


class Script:
    """Answers in their order; the last is given to all calls that follow.

        stub.returns("first").then.raises(CapabilityError("busy")).then.after(30).returns("late")

    With `when`, some calls have a script of their own:

        stub.when(language="fr").returns("bonjour")
        stub.returns("hello")
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._answers: list[_Answer] = []
        self._delay = 0.0
        self._is_open = True
        self._place = 0
        self._branches: list[tuple[dict[str, Any], Script]] = []

    def returns(self, value: Any) -> Self:
        """Answers with a value: JSON, a model, a dataclass, bytes, None."""
        return self._add(_Answer(value=value, delay=self._delay))

    def raises(self, error: Exception) -> Self:
        """Answers with an error: the caller sees a `CapabilityError`, or the `LoomError` that it is.

        Raises:
            HarnessError: it is no exception.
        """
        if not isinstance(error, Exception):
            raise HarnessError(f"raises({error!r}): give an exception, as in raises(ValueError('busy'))")
        return self._add(_Answer(error=error, delay=self._delay))

    def calls(self, function: Callable[..., Any]) -> Self:
        """Answers with what a function makes of the arguments, given by name; it may be async."""
        return self._add(_Answer(function=function, delay=self._delay))

    def after(self, seconds: float) -> Self:
        """The answer that follows takes so many seconds of the namespace's time: `advance` passes it.

        Raises:
            HarnessError: not a number of seconds from 0.
        """
        if not isinstance(seconds, int | float) or not 0 <= seconds < float("inf"):
            raise HarnessError(f"after({seconds!r}): give seconds from 0")
        self._begin()
        self._delay = seconds
        return self

    @property
    def then(self) -> Self:
        """Goes on to the answer of the next call.

        Raises:
            HarnessError: nothing was answered before.
        """
        if self._is_open:
            raise HarnessError(f"{self._name}: say an answer before .then, as in .returns(1).then.returns(2)")
        self._is_open, self._delay = True, 0.0
        return self

    def when(self, **arguments: Any) -> Script:
        """The script for calls whose arguments hold at least these; of several that fit, the first said."""
        branch = Script(f"{self._name}.when(...)")
        self._branches.append((arguments, branch))
        return branch

    async def answer(self, call: SeenCall, context: Context) -> Any:
        """Answers one call.

        Raises:
            HarnessError: the script has no answer for it.
            Exception: what the script raises.
        """
        for arguments, branch in self._branches:
            if not call.misfits(arguments):
                return await branch.answer(call, context)
        if not self._answers:
            raise HarnessError(f"{self._name} was called with {call.arguments!r} and has no answer to that")
        chosen = self._answers[min(self._place, len(self._answers) - 1)]
        self._place += 1
        if chosen.delay:
            await context.sleep(chosen.delay)
        if chosen.error is not None:
            raise chosen.error
        if chosen.function is None:
            return chosen.value
        given = call.arguments
        result = chosen.function(**given) if isinstance(given, dict) else chosen.function(given)
        return await result if inspect.isawaitable(result) else result

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing at all."""
        return not self._answers and not self._branches

    def _add(self, answer: _Answer) -> Self:
        self._begin()
        self._answers.append(answer)
        self._is_open = False
        return self

    def _begin(self) -> None:
        if not self._is_open:
            raise HarnessError(f"{self._name} has an answer already: write .then before the next")
