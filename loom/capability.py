"""Capabilities: functions that other agents can call.

The type hints are the schema: arguments and answer are validated by them, and the capability's descriptor
carries them as JSON Schema.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import json
import logging
import math
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

import pydantic_core
from pydantic import ValidationError

from loom.codes import Code
from loom.errors import CapabilityError, DefinitionError, InvalidInput, InvalidOutput, PayloadError
from loom.payload import all_finite, decode_into, explain
from loom.schema import describe
from loom.threads import run_in_thread
from loom.topics import topic_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from loom.context import Context
    from loom.v1.action_pb2 import CapabilityDescriptor

__all__ = ["Capability", "capability"]

P = ParamSpec("P")
R = TypeVar("R")

_log = logging.getLogger(__name__)

_NOT_FINITE = "NaN and infinities cannot be written as JSON; answer None or a text instead"

_MAX_MESSAGE = 2_000
"""So much of an exception's text travels, characters; an exception may hold megabytes."""


class Capability(Generic[P, R]):
    """A function that other agents can call. It can still be called as the function it was made from.

    Attributes:
        name: by the rules of a wildcard-free topic, such as `web.search`.
        version: compared exactly (ACT-2); may be empty.
        description: for people and models; the function's docstring unless given.
        max_concurrency: so many calls run at once in one agent, at least 1 (ACT-7); None for no bound.
        timeout: a call is given up after this, seconds, however long its caller would wait; None for no
            bound of its own.
        function: what is called.
        input_schema: JSON Schema of the arguments, an object.
        output_schema: JSON Schema of the answer.
    """

    __name__: str

    def __init__(
        self,
        function: Callable[P, R],
        name: str,
        *,
        version: str = "",
        max_concurrency: int | None = None,
        description: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Describes the function.

        The parameters are the fields of one JSON object; a parameter named `ctx`, or annotated `Context`,
        gets the call's Context instead. A missing return annotation means any JSON value.

        Raises:
            DefinitionError: the function cannot be described, or a setting is malformed; the message says
                what to do.
        """
        what = f"capability {name!r}"
        problem = topic_problem(name)
        if problem:
            raise DefinitionError(f"{what} has a malformed name: {problem}")
        if max_concurrency is not None and (not _is_whole(max_concurrency) or max_concurrency < 1):
            raise DefinitionError(
                f"{what} has max_concurrency {max_concurrency!r}; give a whole number from 1"
            )
        if timeout is not None and not (math.isfinite(timeout) and timeout > 0):
            raise DefinitionError(f"{what} has timeout {timeout!r}; give seconds above 0")
        self.name = name
        self.version = version
        self.description = inspect.getdoc(function) or "" if description is None else description
        self.max_concurrency = max_concurrency
        self.timeout = timeout
        self.function = function
        self._signature = describe(function, what)
        self._is_async = inspect.iscoroutinefunction(inspect.unwrap(function))
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls the function as it is, without validation."""
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"Capability({self.label!r})"

    @property
    def label(self) -> str:
        """`name`, or `name@version`."""
        return f"{self.name}@{self.version}" if self.version else self.name

    @property
    def input_schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments, an object; a copy."""
        return copy.deepcopy(self._signature.input_schema)

    @property
    def output_schema(self) -> dict[str, Any]:
        """JSON Schema of the answer; a copy."""
        return copy.deepcopy(self._signature.output_schema)

    def metadata(self) -> dict[str, str]:
        """The metadata of the capability's descriptor."""
        metadata = {
            "input_schema": json.dumps(self._signature.input_schema, separators=(",", ":")),
            "output_schema": json.dumps(self._signature.output_schema, separators=(",", ":")),
        }
        if self.description:
            metadata["description"] = self.description
        if self.max_concurrency is not None:
            metadata["loom.max_concurrency"] = str(self.max_concurrency)
        return metadata

    def descriptor(self) -> CapabilityDescriptor:
        """The descriptor that the agent registers."""
        from loom.v1 import action_pb2

        return action_pb2.CapabilityDescriptor(
            name=self.name,
            version=self.version,
            provider=action_pb2.PROVIDER_NATIVE,
            metadata=self.metadata(),
        )

    async def run(self, payload: bytes, context: Context | None = None) -> bytes:
        """Validates a call's payload, calls the function, validates and encodes its answer.

        A synchronous function runs in a thread of its own, with a copy of the context variables.

        Args:
            payload: a JSON object with the arguments; no bytes mean no arguments.
            context: given to the function where it takes one.

        Raises:
            InvalidInput: the arguments do not fit; `details` maps each field's path to what is wrong.
            CapabilityError: the function raised. The message names the exception; its traceback is only
                logged here. A CapabilityError with a code of its own, raised by the function, goes to the
                caller as it is.
            InvalidOutput: the answer does not fit the return annotation.
        """
        args, kwargs = self._signature.bind(self._read(payload), context)
        result = await self._call(args, kwargs)
        return self._write(result)

    def _read(self, payload: bytes) -> BaseModel:
        what = f"the call of {self.label}"
        try:
            return decode_into(payload or b"{}", self._signature.arguments, what=what)
        except PayloadError as error:
            raise InvalidInput(f"{what}: {error.message}", details={"": error.message}) from error

    async def _call(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        function: Callable[..., Any] = self.function
        try:
            if self._is_async:
                return await function(*args, **kwargs)
            result = await run_in_thread(function, *args, **kwargs)
            return await result if inspect.isawaitable(result) else result
        except CapabilityError as error:
            if error.code != Code.CAPABILITY_ERROR:
                raise  # the function's own code, for its caller to see
            raise self._failed(error) from error
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            raise self._failed(
                error
            ) from error  # something that the function awaited was cancelled, not the call
        except (Exception, SystemExit) as error:
            raise self._failed(error) from error

    def _failed(self, error: BaseException) -> CapabilityError:
        _log.error("capability %s raised", self.label, exc_info=error)
        kind = type(error)
        name = (
            kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        )
        return CapabilityError(
            f"{self.label} raised {kind.__name__}: {_text(error)}", details={"exception": name}
        )

    def _write(self, result: Any) -> bytes:
        output = self._signature.output
        what = f"the answer of {self.label} does not fit"
        try:
            value = output.validate_python(result)
            data = (
                bytes(value)
                if self._signature.raw
                else output.dump_json(value, by_alias=True, warnings="error")
            )
        except ValidationError as problem:
            message, details = explain(problem)
            error = InvalidOutput(f"{what}: {message}", details=details)
            cause: Exception = problem
        except pydantic_core.PydanticSerializationError as problem:
            text = "it cannot be written as JSON; return what the annotation says"
            error, cause = InvalidOutput(f"{what}: {text}", details={"": text}), problem
        else:
            if self._signature.raw or all_finite(data, lambda: output.dump_python(value)):
                return data
            error = InvalidOutput(f"{what}: {_NOT_FINITE}", details={"": _NOT_FINITE})
            cause = ValueError(_NOT_FINITE)
        _log.error("%s", error.message, exc_info=cause)
        raise error from cause


def capability(
    name: str,
    *,
    version: str = "",
    max_concurrency: int | None = None,
    description: str | None = None,
    timeout: float | None = None,
) -> Callable[[Callable[P, R]], Capability[P, R]]:
    """Makes a function a `Capability`, to be given to an agent by `agent.add`.

    The arguments are the attributes of `Capability`.

    Raises:
        DefinitionError: as `Capability`.
    """

    def declare(function: Callable[P, R]) -> Capability[P, R]:
        return Capability(
            function,
            name,
            version=version,
            max_concurrency=max_concurrency,
            description=description,
            timeout=timeout,
        )

    return declare


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _text(error: BaseException) -> str:
    """An exception's text, bounded; an exception that cannot even say what it is has none."""
    try:
        text = str(error)
    except Exception:
        text = "(its text cannot be read)"
    return text if len(text) <= _MAX_MESSAGE else text[:_MAX_MESSAGE] + "..."
