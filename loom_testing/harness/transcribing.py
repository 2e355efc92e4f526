"""What has happened in a test's namespace, as a transcript: asked of the bridge, which keeps its last steps.

Nothing is recorded while a test runs, so that nothing is slowed; a transcript costs something only where
somebody wants one, or a test has failed.
"""

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import grpc

from loom.channel import call_metadata
from loom.testing.v1 import control_pb2, control_pb2_grpc
from loom.v1 import bridge_pb2_grpc, stream_pb2
from loom_testing.harness.errors import HarnessError
from loom_testing.transcript import draw, save
from loom_testing.transcript.tap import Tap

if TYPE_CHECKING:
    from loom_testing.harness.handle import LoomBridge
    from loom_testing.harness.namespace import Namespace
    from loom_testing.transcript import Redaction, Transcript

__all__ = ["SETTLE_S", "keep_transcript", "tail_of", "transcript_of"]

PATIENCE_S = 10.0
SETTLE_S = 1.0
"""How long a transcript waits for what is under way on a test's clock, real time."""
TAIL_ROWS = 40
LEAST_WIDTH = 100
"""Columns of a picture in a report, which may go into a file or a log."""
TAIL_ENTRIES = 4 * TAIL_ROWS
FENCES = itertools.count(1_000_000_000)
"""Numbers of heartbeats, each used once: what the bridge says before one is all that had happened."""


def transcript_of(space: Namespace, *, about: str = "", redaction: Redaction | None = None) -> Transcript:
    """Everything that has happened in the namespace so far, as agents saw it where a proxy stands between.

    Args:
        space: the namespace.
        about: what it is a transcript of, for people.
        redaction: what is secret, besides what always is.

    Raises:
        NoControlError: the bridge was not started for testing.
        HarnessError: the bridge keeps nothing: the namespace is none of a test's.
        LoomError: the bridge cannot be reached.
    """
    if space.proxy is not None:
        return space.proxy.transcript(about, redaction)
    tap = Tap(about, virtual=space.virtual, redaction=redaction)
    fence = -next(FENCES)
    skipped = 0
    for response in _told(space, fence):
        skipped += response.skipped
        tap.feed(response.line)
        if f'"timestamp_ms":{fence}' in response.line:
            tap.recorder.missed(skipped)
            return tap.recorder.transcript()
    raise HarnessError(
        f"the bridge at {space.endpoint.address} keeps nothing of what happens there: start one of this "
        "version of Loom for testing"
    )


def tail_of(bridge: LoomBridge) -> str:
    """The end of what has happened, as a picture for the report of a failed test."""
    from loom.errors import LoomError

    try:
        transcript = transcript_of(bridge.space)
    except (HarnessError, LoomError) as error:
        return f"(there is none: {error})"
    if not transcript.entries:
        return "(nothing crossed the bridge)"
    width = max(LEAST_WIDTH, shutil.get_terminal_size().columns)
    return draw(transcript.tail(TAIL_ENTRIES), most_rows=TAIL_ROWS, width=width)


def keep_transcript(bridge: LoomBridge, test: str, folder: Path) -> str:
    """Writes a test's transcript into a folder, under the test's name. Answers what went wrong."""
    from loom.errors import LoomError

    path = folder / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', test).strip('-')}.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save(transcript_of(bridge.space, about=test), path)
    except OSError as error:
        return f"--loom-record: {path} cannot be written ({error.strerror}): choose another folder"
    except (HarnessError, LoomError) as error:
        return f"--loom-record: {error}"
    return ""


def _told(space: Namespace, fence: int) -> list[control_pb2.WatchResponse]:
    """What the bridge kept, up to the fence; and nothing where it kept nothing."""
    control = space.host.control
    bridge = bridge_pb2_grpc.BridgeStub(control.channel)
    watching = None
    told: list[control_pb2.WatchResponse] = []
    try:
        bridge.Heartbeat(
            stream_pb2.HeartbeatRequest(timestamp_ms=fence),
            metadata=call_metadata(space.endpoint),
            timeout=PATIENCE_S,
        )
        request = control_pb2.WatchRequest(namespace=space.name, kept=True)
        watching = control_pb2_grpc.ControlStub(control.channel).Watch(request, timeout=PATIENCE_S)
        for response in watching:
            told.append(response)
            if f'"timestamp_ms":{fence}' in response.line:
                break
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED or watching is None:
            raise control.problem(error) from None
    finally:
        if watching is not None:
            watching.cancel()
    return told
