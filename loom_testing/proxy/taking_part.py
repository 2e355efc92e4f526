"""`TakingPart`: Control.Participate, answered by the proxy itself; see `joint` for why."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import grpc.aio

from loom.testing.v1 import control_pb2
from loom_testing import codec
from loom_testing.codec import Malformed
from loom_testing.driver import Refused
from loom_testing.faults.verdict import Status
from loom_testing.participate import participate
from loom_testing.proxy.framing import Frame, Frames
from loom_testing.proxy.headers import answer_of, trailers_of

if TYPE_CHECKING:
    from loom_testing.proxy.joint import JointClock
    from loom_testing.proxy.link import Link

__all__ = ["TakingPart"]

NO_ERROR = 0


class TakingPart:
    """One participant's stream. To `loom_testing.participate` it is both the call and the bridge.

    Args:
        link: its connection.
        stream: its number there.
    """

    def __init__(self, link: Link, stream: int) -> None:
        self._link = link
        self._stream = stream
        self._frames = Frames()
        self._came: asyncio.Queue[Any] = asyncio.Queue()
        self._joint: JointClock | None = None
        self._is_answered = False
        self._task = asyncio.create_task(self._serve(), name="loom-proxy-participant")

    @property
    def is_kept(self) -> bool:
        """Whether it goes on while the bridge is away."""
        return self._joint is not None and self._joint.is_kept

    def on_data(self, data: bytes, *, ended: bool) -> None:
        """Bytes of it."""
        for frame in self._frames.feed(data):
            self._came.put_nowait(frame.data)
        if ended:
            self._came.put_nowait(grpc.aio.EOF)

    def close(self) -> None:
        """The participant is gone."""
        self._task.cancel()

    # As the call.

    async def read(self) -> Any:
        """The next message; grpc.aio.EOF for none."""
        data = await self._came.get()
        if self._joint is None and data is not grpc.aio.EOF:
            await self._find(data)
        return data

    async def write(self, data: bytes) -> None:
        """Sends a message."""
        if not self._is_answered:
            self._is_answered = True
            self._link.down_headers(
                self._stream, [(b":status", b"200"), (b"content-type", b"application/grpc")]
            )
        self._link.down_data(self._stream, Frame(data).wire())

    # As the bridge.

    def find(self, _namespace: str) -> JointClock:
        """The namespace that was named first."""
        assert self._joint is not None
        return self._joint

    async def _find(self, data: bytes) -> None:
        """Whose clock it wants to take part in.

        Raises:
            Malformed: the message is none.
            Refused: the bridge does not let anybody.
        """
        request = codec.parse(control_pb2.ParticipateRequest, data)
        if request.WhichOneof("msg") != "join":
            return  # which is refused without asking anybody
        joint = self._link.proxy.clocks.joint(request.join.namespace)
        await joint.joined()
        self._joint = joint

    async def _serve(self) -> None:
        status = Status("OK", "")
        try:
            await participate(cast("Any", self), cast("Any", self))
        except asyncio.CancelledError:
            self._link.forget_part(self._stream)
            raise
        except Refused as refused:
            status = Status(refused.status, refused.message)
        except Malformed as problem:
            status = Status("INVALID_ARGUMENT", str(problem))
        trailers = trailers_of(status) if self._is_answered else answer_of(status)
        self._link.down_end(self._stream, trailers)
        self._link.down_reset(self._stream, NO_ERROR)
        self._link.forget_part(self._stream)
