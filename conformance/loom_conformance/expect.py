"""How a check fails: every expectation says what was to be, and what was.

Each counts, whether it holds or not: a check that expected nothing judged nothing.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
from google.protobuf.message import Message

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from loom.v1 import action_pb2, agent_pb2, stream_pb2
    from loom_conformance.stream import End

__all__ = [
    "Violation",
    "at_most",
    "contains",
    "counted",
    "counting",
    "equal",
    "err",
    "fail",
    "nothing",
    "refused",
    "result",
    "status",
    "true",
]

SHOWN = 600
"""How many characters of a value an expectation shows."""

_judged: ContextVar[list[int]] = ContextVar("judged")


class Violation(Exception):  # noqa: N818 - it is named after what the bridge did
    """The bridge does not keep the clause.

    Attributes:
        what: what was looked at.
        expected: what was to be.
        got: what was.
    """

    def __init__(self, what: str, expected: str, got: str) -> None:
        super().__init__(f"{what}: expected {expected}, got {got}")
        self.what = what
        self.expected = expected
        self.got = got


def counting() -> None:
    """Begins to count the expectations of the current task and of those it starts."""
    _judged.set([0])


def counted() -> int:
    """How many expectations there were since `counting`."""
    return _judged.get()[0]


def equal(got: object, expected: object, what: str) -> None:
    """They are equal."""
    true(got == expected, what, expected=shown(expected), got=shown(got))


def at_most(got: float, most: float, what: str) -> None:
    """It is not above the most."""
    true(got <= most, what, expected=f"at most {most}", got=str(got))


def contains(text: str, parts: Iterable[str] | str, what: str) -> None:
    """The text has each of the parts in it, in whatever case."""
    for part in [parts] if isinstance(parts, str) else parts:
        true(part.lower() in text.lower(), what, expected=f"{part!r} in the text", got=repr(text))


def nothing(got: Collection[object], what: str) -> None:
    """Nothing is there."""
    true(not got, what, expected="nothing", got=shown(list(got)))


def true(holds: object, what: str, *, expected: str = "true", got: str = "false") -> None:
    """It holds; otherwise the check fails and shows these words."""
    _judged.get()[0] += 1
    if not holds:
        raise Violation(what, expected, got)


def fail(what: str, *, expected: str, got: str) -> NoReturn:
    """The bridge did what it must not do."""
    _judged.get()[0] += 1
    raise Violation(what, expected, got)


# Rejects count only for their reason.


def err(
    event: stream_pb2.ServerEvent,
    code: str,
    what: str,
    *,
    ref: str | None = None,
    names: Iterable[str] | str = (),
    fatal: bool = False,
) -> None:
    """The message is an err with this code, about `ref`, whose text names the culprit."""
    equal(event.WhichOneof("msg") or "nothing", "err", f"{what}: the kind of the answer")
    equal(event.err.code, code, f"{what}: the err's code")
    equal(event.err.fatal, fatal, f"{what}: whether the err is fatal")
    if ref is not None:
        equal(event.err.ref, ref, f"{what}: what the err is about (ref)")
    contains(event.err.message, names, f"{what}: the err's message names the culprit")


def refused(
    response: agent_pb2.AgentRegisterResponse, what: str, *, code: str = "", names: Iterable[str] | str = ()
) -> None:
    """The registration was refused, with a reason that names the culprit; a code where one is given."""
    equal(response.success, False, f"{what}: success")
    true(response.error_message, f"{what}: error_message", expected="a reason", got="''")
    contains(response.error_message, names, f"{what}: the reason names the culprit")
    if code:
        equal(response.error_code, code, f"{what}: error_code")


def result(
    got: action_pb2.ActionResult,
    status: str,
    what: str,
    *,
    code: str | None = None,
    output: bytes | None = None,
    names: Iterable[str] | str = (),
) -> None:
    """The result has this status (`ACTION_OK`), and the code or output that is given."""
    from loom.v1 import action_pb2

    equal(action_pb2.ActionStatus.Name(got.status), status, f"{what}: the result's status")
    if code is not None:
        equal(got.error.code, code, f"{what}: the result's error code")
    if output is not None:
        equal(got.output, output, f"{what}: the result's output")
    contains(got.error.message, names, f"{what}: the result's message names the culprit")


def status(
    end: End,
    codes: grpc.StatusCode | Collection[grpc.StatusCode],
    what: str,
    *,
    names: Iterable[str] | str = (),
) -> None:
    """The call ended with one of these gRPC statuses, and details that name the culprit."""
    allowed = [codes] if isinstance(codes, grpc.StatusCode) else list(codes)
    true(
        end.code in allowed,
        f"{what}: the gRPC status",
        expected=" or ".join(code.name for code in allowed),
        got=f"{end.code.name} ({end.details})",
    )
    contains(end.details, names, f"{what}: the status details name the culprit")


def shown(value: Any) -> str:
    """A value on one line, cut where it is long."""
    if isinstance(value, Message):
        text = f"{type(value).__name__}({str(value).strip()})".replace("\n", " ")
    elif isinstance(value, list | tuple):
        text = f"[{', '.join(shown(item) for item in value)}]"
    else:
        text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} characters)"
