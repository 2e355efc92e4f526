"""Calls of capabilities: what goes out, what comes back, and which exception an unhappy end is."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from loom.codes import Code
from loom.envelope import THREAD_ID, TRACEPARENT, TRACESTATE, Envelope
from loom.errors import CapabilityError, InvalidInput, InvalidOutput, error_from_code
from loom.payload import decode_into, decode_json, encode_json, encode_payload
from loom.v1 import action_pb2

if TYPE_CHECKING:
    from loom.errors import LoomError

__all__ = ["encode_arguments", "error_result", "make_call", "read_envelope", "read_result"]

AGENT_ID = "x-agent-id"
CORRELATION_ID = "x-correlation-id"

_CODES_OF_STATUS = {
    action_pb2.ACTION_TIMEOUT: Code.TIMEOUT,
    action_pb2.ACTION_RETRYABLE: Code.UNAVAILABLE,
}


def make_call(
    capability: str,
    payload: bytes,
    envelope: Envelope,
    *,
    version: str = "",
    call_id: str | None = None,
) -> action_pb2.ActionCall:
    """A call of a capability.

    Args:
        capability: its name.
        payload: the arguments.
        envelope: who calls, in which thread and trace.
        version: compared exactly; empty means any (ACT-2).
        call_id: an idempotency key (ACT-8); None for a fresh one.
    """
    headers = {
        AGENT_ID: envelope.sender,
        CORRELATION_ID: envelope.thread_id,
        THREAD_ID: envelope.thread_id,
        TRACEPARENT: envelope.traceparent,
        TRACESTATE: envelope.tracestate,
    }
    return action_pb2.ActionCall(
        id=call_id or uuid.uuid4().hex,
        capability=capability,
        version=version,
        payload=payload,
        headers={name: value for name, value in headers.items() if value},
        correlation_id=envelope.thread_id,
    )


def read_envelope(call: action_pb2.ActionCall) -> Envelope:
    """How a received call stands to others: who called, in which thread and trace."""
    headers = dict(call.headers)
    return Envelope(
        thread_id=headers.get(THREAD_ID) or call.correlation_id or call.id,
        correlation_id=call.correlation_id or headers.get(CORRELATION_ID, ""),
        sender=headers.get(AGENT_ID, ""),
        traceparent=headers.get(TRACEPARENT, ""),
        tracestate=headers.get(TRACESTATE, ""),
    )


def encode_arguments(arguments: Any, more: Mapping[str, Any]) -> bytes:
    """Arguments as a JSON object: a mapping, a model or a dataclass, with keyword arguments added.

    Bytes are taken as they are.

    Raises:
        InvalidInput: there are keyword arguments, and nothing they can be added to.
        PayloadError: they cannot be written as JSON.
    """
    if not more:
        return b"{}" if arguments is None else encode_payload(arguments)
    if arguments is None:
        return encode_json(more)
    if isinstance(arguments, Mapping):
        return encode_json({**arguments, **more})
    fields = (
        None if isinstance(arguments, bytes | bytearray | memoryview) else decode_json(encode_json(arguments))
    )
    if not isinstance(fields, dict):
        raise InvalidInput(
            f"keyword arguments ({', '.join(more)}) cannot be added to a {type(arguments).__name__}: "
            "give a mapping, a model or a dataclass, or keyword arguments only"
        )
    return encode_json({**fields, **more})


def read_result(
    result: action_pb2.ActionResult, capability: str, *, into: Any = None, raw: bool = False
) -> Any:
    """The answer to a call: plain data, bytes (`raw`), or validated `into` a type.

    Raises:
        CapabilityNotFound, CapabilityUnavailable, AgentGone, DeadlineExceeded, Overloaded, InvalidInput,
        InvalidOutput, CapabilityError, IdReused, CallCancelled: how the call ended, by its code.
        PayloadError: the answer is not JSON.
    """
    if result.status != action_pb2.ACTION_OK:
        raise _error(result, capability)
    if raw:
        return result.output
    if into is None:
        return decode_json(result.output)
    return decode_into(result.output, into, error=InvalidOutput, what=f"the answer of {capability}")


def error_result(call_id: str, error: LoomError) -> action_pb2.ActionResult:
    """The result that tells a caller of an error."""
    timed_out = error.code == Code.TIMEOUT
    return action_pb2.ActionResult(
        id=call_id,
        status=action_pb2.ACTION_TIMEOUT if timed_out else action_pb2.ACTION_ERROR,
        error=action_pb2.ActionError(code=error.code, message=error.message, details=error.details),
    )


def _error(result: action_pb2.ActionResult, capability: str) -> LoomError:
    code = result.error.code or _CODES_OF_STATUS.get(result.status, Code.CAPABILITY_ERROR)
    message = result.error.message
    if message and capability not in message:
        message = f"{capability}: {message}"
    return error_from_code(code, message, result.error.details, other=CapabilityError)
