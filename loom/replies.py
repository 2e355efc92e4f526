"""Replies: what a request waits for. They are resolved by the reader, so that a request works anywhere.

A reply is an event of the requester's own replies topic with the request's correlation id. An error reply
carries the metadata key `loom.error` with the error's code, and as its payload the JSON object
`{"code", "message", "details"}`; at the requester it becomes the exception of that code.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, overload

from loom.errors import HandlerError, InvalidOutput, LoomError, PayloadError, error_from_code
from loom.payload import decode_into, decode_json, encode_json

if TYPE_CHECKING:
    import builtins

    from loom.event import Event

__all__ = ["ERROR_KEY", "Pending", "Replies", "Reply", "error_payload"]

T = TypeVar("T")

ERROR_KEY = "loom.error"
"""The metadata key by which an event is an error reply; its value is the code."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for a request.

    Attributes:
        event: the reply as it arrived.
    """

    event: Event

    @property
    def agent_id(self) -> str:
        """The agent that replied."""
        return self.event.sender

    @property
    def type(self) -> str:
        """The reply's event type."""
        return self.event.type

    @property
    def payload(self) -> bytes:
        """The content, as it is."""
        return self.event.payload

    @property
    def error(self) -> LoomError | None:
        """What went wrong at the agent that replied; None for a good reply."""
        code = self.event.metadata.get(ERROR_KEY)
        return None if code is None else _read_error(code, self.event)

    def json(self) -> Any:
        """The payload as plain Python data.

        Raises:
            PayloadError: it is not JSON.
        """
        return decode_json(self.payload)

    @overload
    def into(self, model: builtins.type[T]) -> T: ...
    @overload
    def into(self, model: Any) -> Any: ...
    def into(self, model: Any) -> Any:
        """The payload, validated into a type.

        Raises:
            InvalidOutput: it does not fit; `details` names the fields.
            PayloadError: it is not JSON.
        """
        return decode_into(self.payload, model, error=InvalidOutput, what=f"the reply of {self.agent_id}")

    def value(self, into: Any = None, *, raw: bool = False) -> Any:
        """The payload in the form that was asked for: bytes, a validated `into`, or plain data.

        Raises:
            InvalidOutput: it does not fit `into`.
            PayloadError: it is not JSON.
        """
        if raw:
            return self.payload
        if into is Reply:
            return self
        return self.json() if into is None else self.into(into)


class Pending:
    """The replies to one request, as they come in.

    Attributes:
        correlation_id: what ties them to it.
    """

    def __init__(self, replies: Replies) -> None:
        self.correlation_id = uuid.uuid4().hex
        self._replies = replies
        self._arrived: asyncio.Queue[Reply | LoomError] = asyncio.Queue()

    def __enter__(self) -> Pending:
        self._replies.open[self.correlation_id] = self
        return self

    def __exit__(self, *exc: object) -> None:
        del self._replies.open[self.correlation_id]

    def put(self, item: Reply | LoomError) -> None:
        """A reply came, or the connection was lost."""
        self._arrived.put_nowait(item)

    async def next(self) -> Reply:
        """The next reply, good or not.

        Raises:
            BridgeError: the connection was lost: none will come.
        """
        item = await self._arrived.get()
        if isinstance(item, LoomError):
            raise item
        return item


class Replies:
    """Every request of one agent that waits."""

    def __init__(self) -> None:
        self.open: dict[str, Pending] = {}

    def expect(self) -> Pending:
        """A place for the replies to a request; open while its `with` block runs."""
        return Pending(self)

    def take(self, event: Event) -> bool:
        """Hands a reply to who waits for it. False where nobody does."""
        pending = self.open.get(event.envelope.correlation_id)
        if pending is None:
            return False
        pending.put(Reply(event))
        return True

    def fail(self, error: LoomError) -> None:
        """Tells everyone who waits that no reply will come."""
        for pending in self.open.values():
            pending.put(error)


def error_payload(error: LoomError) -> bytes:
    """The payload of an error reply."""
    return encode_json({"code": error.code, "message": error.message, "details": error.details})


def _read_error(code: str, event: Event) -> LoomError:
    """The exception that an error reply stands for; whatever it says, it is an error."""
    try:
        content = event.json()
    except PayloadError:
        content = None
    if not isinstance(content, dict):
        content = {}
    message = str(content.get("message") or f"{event.sender} answered with the error {code}")
    details = content.get("details")
    known = {str(key): str(text) for key, text in details.items()} if isinstance(details, dict) else {}
    return error_from_code(code, message, known, other=HandlerError)
