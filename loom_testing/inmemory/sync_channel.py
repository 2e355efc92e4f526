"""What a stub takes for a channel of gRPC: calls to a bridge in this process, from threads."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING, Any

import grpc

from loom_testing.inmemory.line import Form, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from loom_testing.inmemory.bridge import InMemoryBridge
    from loom_testing.inmemory.serving import Serving

    Metadata = Sequence[tuple[str, str | bytes]]

__all__ = ["SyncInMemoryCall", "SyncInMemoryChannel"]

END = object()


class SyncInMemoryCall(grpc.RpcError):
    """One call, as gRPC's synchronous calls are used: a future, an iterator, and the error it raises.

    Args:
        bridge: whom it asks.
        method: its path.
        request: what it asks.
        metadata: what is sent beside that.
        form: how messages become bytes.
        timeout: seconds after which it is given up; None for never.
    """

    def __init__(
        self,
        bridge: InMemoryBridge,
        method: str,
        request: bytes,
        metadata: Metadata,
        form: Form,
        timeout: float | None,
    ) -> None:
        super().__init__()
        self._bridge = bridge
        self._form = form
        self._serving: Serving | None = None
        self._outcome: Outcome | None = None
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._callbacks: list[Callable[[Any], object]] = []
        self._timer = None if timeout is None else timeout
        if not bridge.post(self._begin, method, metadata, request):
            self.over(Outcome("UNAVAILABLE", "the bridge has stopped"))

    # On the bridge's thread.

    def _begin(self, method: str, metadata: Metadata, request: bytes) -> None:
        self._serving = self._bridge.serve(method, metadata, self)
        self._serving.request_came(request)
        self._serving.requests_end()
        if self._timer is not None:
            self._bridge.call_later(self._timer, self._late)

    def _give_up(self) -> None:
        if self._serving is not None:
            self._serving.cancel()

    def _late(self) -> None:
        if self._outcome is None:
            self._give_up()
            self.over(Outcome("DEADLINE_EXCEEDED", "Deadline Exceeded"))

    def answered(self) -> None:
        """The response headers."""

    def came(self, data: bytes) -> None:
        """A message. Nobody waits for a slow reader here: what is asked so is short."""
        self._answers.put(data)
        if self._serving is not None:
            self._serving.taken(len(data))

    def request_taken(self, size: int) -> None:
        """So much of what was sent was taken in."""

    def over(self, outcome: Outcome, last: bytes | None = None) -> None:
        """The call has ended, with a last message perhaps."""
        with self._lock:
            if self._outcome is not None:
                return
            if last is not None:
                self._answers.put(last)
            self._outcome = outcome
            callbacks, self._callbacks = self._callbacks, []
        self._answers.put(END)
        self._over.set()
        for callback in callbacks:
            callback(self)

    # On the client's thread.

    def result(self, timeout: float | None = None) -> Any:
        """Waits for the answer.

        Raises:
            grpc.RpcError: itself, which says how the call ended.
            grpc.FutureTimeoutError: it takes longer.
        """
        if not self._over.wait(timeout):
            raise grpc.FutureTimeoutError
        if self.code() is not grpc.StatusCode.OK:
            raise self
        data = self._answers.get()
        return None if data is END else self._form.read(data)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Waits for the end; what `result` would raise."""
        if not self._over.wait(timeout):
            raise grpc.FutureTimeoutError
        return None if self.code() is grpc.StatusCode.OK else self

    def __iter__(self) -> SyncInMemoryCall:
        return self

    def __next__(self) -> Any:
        data = self._answers.get()
        if data is not END:
            return self._form.read(data)
        self._answers.put(END)  # for whoever asks again
        if self.code() is grpc.StatusCode.OK:
            raise StopIteration
        raise self

    def cancel(self) -> bool:
        """Gives it up. False where it is over."""
        if self._outcome is not None:
            return False
        self._bridge.post(self._give_up)
        self.over(Outcome("CANCELLED", "Locally cancelled by application!"))
        return True

    def add_done_callback(self, callback: Callable[[Any], object]) -> None:
        """Calls it when the call is over, from any thread."""
        with self._lock:
            if self._outcome is None:
                self._callbacks.append(callback)
                return
        callback(self)

    def done(self) -> bool:
        """Whether it is over."""
        return self._outcome is not None

    def cancelled(self) -> bool:
        """Whether it was given up here."""
        return self._outcome is not None and self._outcome.code == "CANCELLED"

    def code(self) -> grpc.StatusCode:
        """How it ended."""
        self._over.wait()
        assert self._outcome is not None
        return grpc.StatusCode[self._outcome.code]

    def details(self) -> str:
        """The status's text."""
        self._over.wait()
        assert self._outcome is not None
        return self._outcome.details

    def initial_metadata(self) -> tuple[()]:
        """There is none."""
        return ()

    trailing_metadata = initial_metadata


class _Method:
    """A method that takes one message."""

    def __init__(self, channel: SyncInMemoryChannel, method: str, form: Form) -> None:
        self._channel = channel
        self._method = method
        self._form = form

    def __call__(
        self, request: Any, timeout: float | None = None, metadata: Metadata | None = None, **_: Any
    ) -> Any:
        """Asks, and waits for the answer.

        Raises:
            grpc.RpcError: how the call ended.
        """
        call = self.future(request, timeout, metadata)
        try:
            return call.result()
        except BaseException:
            call.cancel()
            raise

    def future(
        self, request: Any, timeout: float | None = None, metadata: Metadata | None = None, **_: Any
    ) -> SyncInMemoryCall:
        """Asks."""
        return self._channel.called(self._method, request, timeout, metadata, self._form)


class SyncInMemoryChannel(grpc.Channel):
    """A channel to a bridge in this process, for threads.

    Args:
        bridge: which one.
    """

    def __init__(self, bridge: InMemoryBridge) -> None:
        self._bridge = bridge
        self._calls: set[SyncInMemoryCall] = set()
        self._is_closed = False

    def __enter__(self) -> SyncInMemoryChannel:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives up what is open."""
        self._is_closed = True
        for call in list(self._calls):
            call.cancel()

    def called(
        self,
        method: str,
        request: Any,
        timeout: float | None,
        metadata: Metadata | None,
        form: Form,
    ) -> SyncInMemoryCall:
        """Begins a call.

        Raises:
            ValueError: the channel is closed.
        """
        if self._is_closed:
            raise ValueError("Cannot invoke RPC on closed channel!")
        data = form.write(request)
        call = SyncInMemoryCall(self._bridge, method, data, tuple(metadata or ()), form, timeout)
        self._calls.add(call)
        call.add_done_callback(self._forget)
        return call

    def unary_unary(self, method: str, *_: Any, **options: Any) -> Any:
        """A method that answers one message with one."""
        return _Method(self, method, Form.of(options))

    def unary_stream(self, method: str, *_: Any, **options: Any) -> Any:
        """A method that answers one message with several."""
        return _Method(self, method, Form.of(options)).future

    def stream_unary(self, method: str, *_: Any, **options: Any) -> Any:
        """Nothing of ours takes several messages from a thread."""
        return _refused

    def stream_stream(self, method: str, *_: Any, **options: Any) -> Any:
        """Nothing of ours takes several messages from a thread."""
        return _refused

    def subscribe(self, callback: Callable[..., object], try_to_connect: bool = False) -> None:
        """It is connected."""
        callback(grpc.ChannelConnectivity.READY)

    def unsubscribe(self, callback: Callable[..., object]) -> None:
        """It never changes."""

    def _forget(self, call: SyncInMemoryCall) -> None:
        with contextlib.suppress(KeyError):
            self._calls.remove(call)


def _refused(*_: Any, **__: Any) -> Any:
    raise TypeError("streams to a bridge in memory are for event loops: use its async channel")
