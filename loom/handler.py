"""Handlers: functions that events are handed to, each with the payload its annotation asks for."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loom.errors import DefinitionError
from loom.event import Event
from loom.payload import adapter_for, decode_into, decode_json
from loom.schema import Names, check_kind, takes_context
from loom.threads import run_in_thread
from loom.topics import matches

if TYPE_CHECKING:
    from collections.abc import Callable

    from loom.context import Context
    from loom.registration import Subscription

__all__ = ["Handler", "Routes"]

ROUTES_KEPT = 4_096
"""For so many concrete topics and types the matching handlers are remembered."""


@dataclass(frozen=True, slots=True)
class Handler:
    """One function, and which events it takes.

    Attributes:
        function: what is called.
        subscription: which events; None for every event that the agent receives.
        payload: what its payload parameter wants: `Event` for the raw event, a type to validate into, or
            `Any` for plain data.
        takes: its parameters in order, `ctx` or `payload`.
        is_async: whether calling it gives an awaitable.
    """

    function: Callable[..., Any]
    subscription: Subscription | None
    payload: Any
    takes: tuple[str, ...]
    is_async: bool

    @classmethod
    def of(cls, function: Callable[..., Any], subscription: Subscription | None) -> Handler:
        """Reads a function's signature: `(ctx)`, `(ctx, payload)`, `(payload)`, or nothing at all.

        Raises:
            DefinitionError: it takes something else, or its annotation cannot be validated.
        """
        where = "on_event" if subscription is None else f"on({subscription.topic!r})"
        what = f"handler {getattr(function, '__name__', function)!r} of {where}"
        check_kind(function, what)
        names = Names(function, what)
        payload: Any = Event if subscription is None else Any
        takes: list[str] = []
        for parameter in inspect.signature(function).parameters.values():
            if takes_context(parameter, names):
                takes.append("ctx")
                continue
            if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
                raise DefinitionError(
                    f"{what} takes {str(parameter).partition(':')[0]}; it may take ctx and one payload"
                )
            takes.append("payload")
            if parameter.annotation is not parameter.empty:
                payload = names.resolve(parameter.annotation, f"parameter {parameter.name!r}")
        if len(takes) != len(set(takes)):
            raise DefinitionError(
                f"{what} takes {len(takes)} parameters; it may take ctx and one payload: "
                "annotate the Context, or name it ctx, and put the payload's fields into a model"
            )
        if payload not in (Any, Event, bytes, str):
            adapter_for(payload)
        return cls(
            function,
            subscription,
            payload,
            tuple(takes),
            inspect.iscoroutinefunction(inspect.unwrap(function)),
        )

    @property
    def name(self) -> str:
        """The function's name, for logs."""
        return getattr(self.function, "__qualname__", repr(self.function))

    def takes_event(self, topic: str, type: str) -> bool:
        """Whether an event of this topic and type is for it."""
        wanted = self.subscription
        return wanted is None or (matches(wanted.topic, topic) and (not wanted.types or type in wanted.types))

    async def run(self, context: Context, event: Event) -> None:
        """Validates the payload and calls the function; a synchronous one in a thread of its own.

        Raises:
            InvalidInput: the payload does not fit.
            PayloadError: it is not JSON.
            Exception: whatever the function raises.
        """
        arguments = [context if name == "ctx" else self._decode(event) for name in self.takes]
        if self.is_async:
            await self.function(*arguments)
            return
        result = await run_in_thread(self.function, *arguments)
        if inspect.isawaitable(result):
            await result

    def _decode(self, event: Event) -> Any:
        if self.payload is Event:
            return event
        if self.payload is Any:
            return decode_json(event.payload)
        return decode_into(event.payload, self.payload, what=f"the payload of {event.type or event.topic}")


class Routes:
    """Which handlers an event is for, in the order they were declared."""

    def __init__(self, handlers: tuple[Handler, ...]) -> None:
        self._handlers = handlers
        self._known: dict[tuple[str, str], tuple[Handler, ...]] = {}

    def of(self, event: Event) -> tuple[Handler, ...]:
        """The handlers that take this event."""
        key = (event.topic, event.type)
        found = self._known.get(key)
        if found is None:
            found = tuple(handler for handler in self._handlers if handler.takes_event(*key))
            if len(self._known) >= ROUTES_KEPT:
                self._known.clear()
            self._known[key] = found
        return found
