"""Control.Participate: a participant is told the time, and reports how it stands (CTL-3)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc.aio

from loom.testing.v1 import control_pb2
from loom_testing import codec
from loom_testing.driver import Refused
from loom_testing.engine.text import quote
from loom_testing.participants import OpenCall, Report

if TYPE_CHECKING:
    from loom_testing.driver import Driver
    from loom_testing.namespaces import Namespaces
    from loom_testing.participants import Participant

    Context = grpc.aio.ServicerContext[Any, Any]

__all__ = ["participate", "read_report"]

JOIN_SECONDS = 10.0
"""How long a participant may take to join, real time."""
MOST_CALLS = 100_000
"""How many open gRPC calls a report may list."""
MOST_BUSY = 20
MOST_TEXT = 300
"""Of what a participant is busy with so many lines are kept, and so many characters of each."""


async def participate(namespaces: Namespaces, context: Context) -> None:
    """Serves one participant until it leaves or the namespace ends.

    Raises:
        codec.Malformed: it sent what it should not.
        Refused: how the stream ends.
    """
    driver, participant = await _joined(namespaces, context)
    reader = asyncio.create_task(_read(driver, participant, context))
    writer = asyncio.create_task(_write(driver, participant, context))
    try:
        done, _ = await asyncio.wait([reader, writer], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        if participant.end is not None:
            raise Refused(*participant.end)
    except grpc.aio.BaseError:
        pass  # the participant is gone
    finally:
        reader.cancel()
        writer.cancel()
        driver.participants.leave(participant)


async def _joined(namespaces: Namespaces, context: Context) -> tuple[Driver, Participant]:
    try:
        async with asyncio.timeout(JOIN_SECONDS):
            request = _parse(await context.read())
    except TimeoutError:
        raise Refused("DEADLINE_EXCEEDED", f"no Join within {JOIN_SECONDS:g} s; send it first") from None
    if request is None or request.WhichOneof("msg") != "join":
        raise Refused("INVALID_ARGUMENT", "the first message is no Join; send it first")
    driver = namespaces.find(request.join.namespace)
    driver.check_virtual()
    try:
        return driver, driver.participants.join(request.join.participant, driver.clock.now())
    except ValueError as problem:
        raise Refused("INVALID_ARGUMENT", str(problem)) from None


async def _read(driver: Driver, participant: Participant, context: Context) -> None:
    while (request := _parse(await context.read())) is not None:
        if request.WhichOneof("msg") != "report":
            raise Refused("INVALID_ARGUMENT", "the message is no Report; only the first is a Join")
        try:
            driver.participants.reported(participant, read_report(request.report))
        except ValueError as problem:
            raise Refused("INVALID_ARGUMENT", str(problem)) from None


async def _write(driver: Driver, participant: Participant, context: Context) -> None:
    while (told := await participant.next()) is not None:
        response = control_pb2.ParticipateResponse(
            turn=told.turn, now_us=told.now, fire=told.fire, report=told.report, liveness=driver.liveness
        )
        await context.write(response.SerializeToString())


def _parse(data: Any) -> control_pb2.ParticipateRequest | None:
    return None if data is grpc.aio.EOF else codec.parse(control_pb2.ParticipateRequest, data)


def read_report(report: control_pb2.Report) -> Report:
    """A report as it came, cut to what is kept of it.

    Raises:
        ValueError: it lists too many calls, or one of them twice.
    """
    if len(report.calls) > MOST_CALLS:
        raise ValueError(f"the report lists {len(report.calls)} calls; at most {MOST_CALLS}")
    calls = {call.number: OpenCall(call.sent, call.received, call.paused) for call in report.calls}
    if len(calls) != len(report.calls):
        raise ValueError("the report lists a call twice")
    return Report(
        turn=report.turn,
        busy=tuple(_line(text) for text in report.busy[:MOST_BUSY]),
        next=report.next_us,
        next_of=report.next_of[:MOST_TEXT],
        awaited=report.awaited_us,
        calls=calls,
    )


def _line(text: str) -> str:
    """A text of a stranger's, fit for a message of one line."""
    line = text[:MOST_TEXT]
    return line if line.isascii() and line.isprintable() else quote(line)
