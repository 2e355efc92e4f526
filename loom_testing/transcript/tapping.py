"""Tapping a bridge: its trace is followed while a run goes on."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import TYPE_CHECKING, cast

import grpc.aio

from loom.status import error_from_rpc
from loom.testing.v1 import control_pb2, control_pb2_grpc
from loom.v1 import bridge_pb2_grpc, stream_pb2
from loom_testing.harness.errors import NoControlError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from loom_testing.transcript.tap import Tap

__all__ = ["Lines", "begin_watching", "caught_up", "tapped"]

CATCH_UP_S = 5.0
"""How long, seconds of real time, a bridge may take to tell what has happened."""

Lines = grpc.aio.UnaryStreamCall[control_pb2.WatchRequest, control_pb2.WatchResponse]
"""What a bridge tells, line by line."""


@contextlib.asynccontextmanager
async def tapped(channel: grpc.aio.Channel, namespace: str, tap: Tap) -> AsyncIterator[None]:
    """Feeds the tap with what happens in a namespace, for as long as this is entered.

    Raises:
        NoControlError: as `begin_watching`.
    """
    lines = await begin_watching(channel, namespace)

    async def feed() -> None:
        with contextlib.suppress(grpc.aio.AioRpcError):
            async for response in lines:
                tap.feed(response.line)

    feeding = asyncio.create_task(feed())
    try:
        yield
    finally:
        lines.cancel()
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)


async def begin_watching(channel: grpc.aio.Channel, namespace: str, *, address: str = "its address") -> Lines:
    """Asks to be told what happens in a namespace, or in all where it is empty; misses nothing from then on.

    Raises:
        NoControlError: the bridge was not started for testing, or it has no such namespace.
        LoomError: there is no bridge.
    """
    stub = cast("control_pb2_grpc.ControlAsyncStub", control_pb2_grpc.ControlStub(channel))
    try:
        # A refusal to watch looks like the beginning until its status is there, a moment later. So what is
        # answered as a whole is asked first.
        await stub.Snapshot(control_pb2.SnapshotRequest(namespace=namespace))
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            raise error_from_rpc(error, address) from None
        if namespace or error.code() is not grpc.StatusCode.NOT_FOUND:
            raise NoControlError(_problem(error)) from None
    lines = stub.Watch(control_pb2.WatchRequest(namespace=namespace))
    await lines.initial_metadata()
    return lines


async def caught_up(channel: grpc.aio.Channel, namespace: str, tap: Tap) -> bool:
    """Waits until the tap was fed with all that has happened in the namespace so far.

    Returns:
        Whether it was: a bridge that has ended, or that is too slow, tells no more.
    """
    number = -secrets.randbelow(1 << 62) - 1
    there = asyncio.Event()

    def heard(came: int) -> None:
        if came == number:
            there.set()

    tap.heard = heard
    stub = cast("bridge_pb2_grpc.BridgeAsyncStub", bridge_pb2_grpc.BridgeStub(channel))
    metadata = (("loom-namespace", namespace),)
    try:
        async with asyncio.timeout(CATCH_UP_S):
            await stub.Heartbeat(stream_pb2.HeartbeatRequest(timestamp_ms=number), metadata=metadata)
            await there.wait()
    except (TimeoutError, grpc.aio.AioRpcError):
        return False
    return True


def _problem(error: grpc.aio.AioRpcError) -> str:
    if error.code() is grpc.StatusCode.UNIMPLEMENTED:
        return "the bridge was not started for testing: start it with `loom-testing serve --testing`"
    return f"the bridge does not tell what happens there: {error.details()}"
