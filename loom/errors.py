"""Every error that Loom raises, in one tree. A gRPC error never reaches the user.

    LoomError
    ├── ConfigError             a setting is missing, malformed, or contradicts another
    ├── DefinitionError         an agent, handler, subscription or capability is declared wrongly
    ├── MemoryStoreError        a memory store could not read or write
    ├── PayloadError            a payload is not JSON, or a value cannot be written as JSON
    ├── BridgeError             the connection to the bridge
    │   ├── BridgeUnavailable       no bridge answers there, or it went away
    │   ├── NotConnected            the agent is not started, or was stopped
    │   ├── Unauthenticated         the bridge wants a valid token
    │   ├── PermissionDenied        the token does not allow it
    │   ├── RegistrationRefused     the bridge refused the agent's registration
    │   ├── Superseded              another process took over this agent id; final
    │   └── ProtocolError           the two sides do not understand each other
    └── RequestError            one publish, request or call
        ├── PublishRefused          the bridge refused an event
        ├── NoSubscribers           nobody hears the topic of a request
        ├── CapabilityNotFound      no agent offers the capability, or not in that version
        ├── CapabilityUnavailable   it is offered, but no provider is connected
        ├── CapabilityError         the capability raised
        ├── HandlerError            the handler of a request raised
        ├── AgentGone               the other agent left before it answered, or before it was answered
        ├── DeadlineExceeded        time ran out (also a TimeoutError)
        ├── Overloaded              too many calls wait
        ├── CallCancelled           the call was given up
        ├── IdReused                a call id was used again for another call
        ├── InvalidInput            arguments or a payload do not fit (also a ValueError)
        └── InvalidOutput           an answer does not fit

Each error has a `code` from the table in `loom.codes` (or a provider's own), `details`, and a message of
one line that says what happened and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from loom.codes import CODES, Code

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AgentGone",
    "BridgeError",
    "BridgeUnavailable",
    "CallCancelled",
    "CapabilityError",
    "CapabilityNotFound",
    "CapabilityUnavailable",
    "ConfigError",
    "DeadlineExceeded",
    "DefinitionError",
    "HandlerError",
    "IdReused",
    "InvalidInput",
    "InvalidOutput",
    "LoomError",
    "MemoryStoreError",
    "NoSubscribers",
    "NotConnected",
    "Overloaded",
    "PayloadError",
    "PermissionDenied",
    "ProtocolError",
    "PublishRefused",
    "RegistrationRefused",
    "RequestError",
    "Superseded",
    "Unauthenticated",
    "error_from_code",
]

_KNOWN: dict[str, Code] = {code.value: code for code in Code}


class LoomError(Exception):
    """The root of the tree.

    Attributes:
        message: what happened and what to do, one line.
        code: the error's code in the table of `loom.codes`, or a provider's own.
        details: more about it, for programs.
    """

    default_code: ClassVar[str] = Code.INTERNAL

    def __init__(self, message: str, *, code: str = "", details: Mapping[str, str] | None = None) -> None:
        self.message = " ".join(message.split())
        self.code = str(code or self.default_code)
        self.details = dict(details or {})
        super().__init__(self.message)

    @property
    def retry(self) -> bool:
        """Whether the same thing may succeed later without a change."""
        known = _KNOWN.get(self.code)
        return known is not None and CODES[known].retry


class ConfigError(LoomError):
    """A setting is missing, malformed, or contradicts another; the message names its place."""

    default_code = Code.INVALID_CONFIG


class DefinitionError(LoomError):
    """An agent, handler, subscription or capability is declared wrongly; raised where it is declared."""

    default_code = Code.INVALID_DEFINITION


class MemoryStoreError(LoomError):
    """A memory store could not read or write."""

    default_code = Code.MEMORY_FAILED


class PayloadError(LoomError):
    """A payload is not JSON, or a value cannot be written as JSON."""

    default_code = Code.INVALID_PAYLOAD


class BridgeError(LoomError):
    """Something about the connection to the bridge."""

    default_code = Code.BRIDGE_UNAVAILABLE


class BridgeUnavailable(BridgeError):
    """No bridge answers at the address, or it went away."""


class NotConnected(BridgeError):
    """The agent is not started, or was stopped."""

    default_code = Code.NOT_CONNECTED


class Unauthenticated(BridgeError):
    """The bridge wants a valid token (SEC-1)."""

    default_code = Code.UNAUTHENTICATED


class PermissionDenied(BridgeError):
    """The token does not allow it (SEC-1)."""

    default_code = Code.PERMISSION_DENIED


class RegistrationRefused(BridgeError):
    """The bridge refused the agent's registration (REG-1, REG-2, REG-5)."""

    default_code = Code.INVALID_SUBSCRIPTION


class Superseded(BridgeError):
    """Another process opened a stream for the same agent id. Final: this agent does not come back (SES-4)."""

    default_code = Code.SUPERSEDED


class ProtocolError(BridgeError):
    """The two sides do not understand each other."""

    default_code = Code.INVALID_MESSAGE


class RequestError(LoomError):
    """One publish, request or call went wrong; the agent goes on."""


class PublishRefused(RequestError):
    """The bridge refused an event (PUB-5)."""

    default_code = Code.INVALID_EVENT


class NoSubscribers(RequestError):
    """Nobody hears the topic of a request (PUB-9)."""

    default_code = Code.NO_SUBSCRIBERS


class CapabilityNotFound(RequestError):
    """No agent offers the capability, or not in the version asked for (ACT-2)."""

    default_code = Code.NOT_FOUND


class CapabilityUnavailable(RequestError):
    """The capability is registered, but no provider of it is connected (ACT-2)."""

    default_code = Code.UNAVAILABLE


class CapabilityError(RequestError):
    """The capability raised; `code` may be the provider's own (ACT-1)."""

    default_code = Code.CAPABILITY_ERROR


class HandlerError(RequestError):
    """The handler that a request reached raised instead of replying."""

    default_code = Code.HANDLER_ERROR


class AgentGone(RequestError):
    """The other agent left before it answered (ACT-4), or before it could be answered."""

    default_code = Code.PROVIDER_LOST


class DeadlineExceeded(RequestError, TimeoutError):
    """Time ran out before an answer came (ACT-3)."""

    default_code = Code.TIMEOUT


class Overloaded(RequestError):
    """Too many calls wait for the capability (ACT-7), or too many events for the bridge."""

    default_code = Code.OVERLOADED


class CallCancelled(RequestError):
    """The call was given up before an answer came (ACT-3)."""

    default_code = Code.CANCELLED


class IdReused(RequestError):
    """A call id was used again for a call with other content (ACT-8)."""

    default_code = Code.ID_REUSED


class InvalidInput(RequestError, ValueError):
    """Arguments or a payload do not fit what is asked for.

    `details` maps the path of each field at fault (such as `hits.0.title`; empty for the whole) to what is
    wrong with it.
    """

    default_code = Code.INVALID_INPUT

    @property
    def path(self) -> str:
        """The path of the first field at fault; empty where the whole is."""
        return min(self.details, default="")


class InvalidOutput(RequestError):
    """An answer does not fit: the capability's own schema, or the model given as `into`.

    `details` is as in `InvalidInput`.
    """

    default_code = Code.INVALID_OUTPUT

    @property
    def path(self) -> str:
        """The path of the first field at fault; empty where the whole is."""
        return min(self.details, default="")


BY_CODE: dict[Code, type[LoomError]] = {
    Code.INVALID_AGENT_ID: RegistrationRefused,
    Code.INVALID_SUBSCRIPTION: RegistrationRefused,
    Code.INVALID_CAPABILITY: RegistrationRefused,
    Code.INVALID_TOPIC: PublishRefused,
    Code.INVALID_EVENT: PublishRefused,
    Code.INVALID_TTL: PublishRefused,
    Code.LIMIT_EXCEEDED: PublishRefused,
    Code.INVALID_MESSAGE: ProtocolError,
    Code.FEATURE_REQUIRED: ProtocolError,
    Code.HANDSHAKE_EXPECTED: ProtocolError,
    Code.INVALID_INPUT: InvalidInput,
    Code.INVALID_OUTPUT: InvalidOutput,
    Code.NOT_REGISTERED: BridgeUnavailable,
    Code.STALE_REGISTRATION: BridgeUnavailable,
    Code.HANDSHAKE_TIMEOUT: BridgeUnavailable,
    Code.HEARTBEAT_TIMEOUT: BridgeUnavailable,
    Code.SLOW_CONSUMER: BridgeUnavailable,
    Code.NAMESPACE_RESET: BridgeUnavailable,
    Code.DRAINING: BridgeUnavailable,
    Code.BRIDGE_UNAVAILABLE: BridgeUnavailable,
    Code.SUPERSEDED: Superseded,
    Code.EVENTS_DROPPED: RequestError,
    Code.NOT_FOUND: CapabilityNotFound,
    Code.UNAVAILABLE: CapabilityUnavailable,
    Code.TIMEOUT: DeadlineExceeded,
    Code.CANCELLED: CallCancelled,
    Code.PROVIDER_LOST: AgentGone,
    Code.AGENT_GONE: AgentGone,
    Code.UNKNOWN_CALL: RequestError,
    Code.ID_REUSED: IdReused,
    Code.OVERLOADED: Overloaded,
    Code.CAPABILITY_ERROR: CapabilityError,
    Code.HANDLER_ERROR: HandlerError,
    Code.NO_SUBSCRIBERS: NoSubscribers,
    Code.NOT_CONNECTED: NotConnected,
    Code.UNAUTHENTICATED: Unauthenticated,
    Code.PERMISSION_DENIED: PermissionDenied,
    Code.INVALID_CONFIG: ConfigError,
    Code.INVALID_DEFINITION: DefinitionError,
    Code.INVALID_PAYLOAD: PayloadError,
    Code.MEMORY_FAILED: MemoryStoreError,
    Code.INTERNAL: LoomError,
}
"""Which exception stands for a code that the other side told."""


def error_from_code(
    code: str,
    message: str = "",
    details: Mapping[str, str] | None = None,
    *,
    other: type[LoomError] = CapabilityError,
) -> LoomError:
    """The exception for a code that a bridge or a provider told.

    Args:
        code: from the table, or a provider's own.
        message: what was told; where empty, the table's own words. The table's remedy is added.
        details: what was told besides.
        other: the exception for codes that are not in the table.
    """
    known = _KNOWN.get(code)
    if known is None:
        return other(message or f"it failed with code {code or '(none)'}", code=code, details=details)
    info = CODES[known]
    said = message.strip() or info.meaning
    if info.remedy not in said:
        said = f"{said}{'' if said.endswith(('.', '!', '?')) else '.'} {info.remedy}"
    return BY_CODE[known](said, code=code, details=details)
