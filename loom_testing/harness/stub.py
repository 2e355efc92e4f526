"""`Stub`: a capability that answers by a script, in place of the agent that would offer it.

async with loom_bridge.stub_capability("llm.complete").returns("a summary") as llm:
    ...
assert llm.seen.having(model="small")
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from loom.capability import Capability
from loom.errors import LoomError, PayloadError
from loom.payload import decode_json, encode_payload
from loom_testing.harness.difference import describe_call_miss
from loom_testing.harness.entered import Entered
from loom_testing.harness.errors import ExpectationError, HarnessError, speaks_for_itself
from loom_testing.harness.expected import UNSET
from loom_testing.harness.given import check_capability, check_seconds
from loom_testing.harness.record import Record
from loom_testing.harness.running import check_loop
from loom_testing.harness.script import Script
from loom_testing.harness.scripted import Scripted
from loom_testing.harness.seen import Calls, SeenCall

if TYPE_CHECKING:
    from loom.context import Context
    from loom.endpoint import Endpoint
    from loom.v1 import action_pb2
    from loom_testing.harness.host import Host

__all__ = ["Stub"]

__tracebackhide__ = speaks_for_itself

CONNECT_S = 10.0


class Stub(Entered, Script):
    """A capability with a script, offered inside its `async with`. `loom_bridge.stub_capability` makes one.

    Args:
        endpoint: the bridge and the namespace.
        host: the bridge, to be told of its death.
        capability: its name.
        version: its version.
        timeout: seconds of real time that `called` waits.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        host: Host,
        capability: str,
        *,
        version: str = "",
        timeout: float,
    ) -> None:
        check_capability(capability, "stub_capability")
        super().__init__(f"the stub of {capability}")
        self.capability = capability
        self._version = version
        self._script: Script | None = None
        self._endpoint = endpoint
        self._host = host
        self._timeout = timeout
        self._worker: _Stubbed | None = None
        self._seen = Calls()
        self._awaits_entering(f"loom_bridge.stub_capability({capability!r})")

    def __repr__(self) -> str:
        return f"Stub({self.capability!r})"

    @property
    def agent_id(self) -> str:
        """The agent that offers it."""
        return f"stub:{self.capability}"

    @property
    def seen(self) -> Calls:
        """Every call so far, in order."""
        return Calls(self._seen)

    def follow(self, script: Script) -> None:
        """What it answers is said there, and not by this stub itself."""
        self._script = script

    async def called(self, timeout: float | None = None, **arguments: Any) -> SeenCall:
        """Waits for a call whose arguments hold at least these, one that has come already included.

        Args:
            timeout: seconds of real time to wait; None for the test run's, 5.
            arguments: what the arguments hold; matchers such as `unittest.mock.ANY` work inside.

        Raises:
            ExpectationError: none came in time; the text shows what did.
            HarnessError: the stub is not offered.
        """
        if self._worker is None:
            self.note_entered()  # it is told of now
            raise HarnessError(f"{self!r} is not offered: use it inside `async with`")
        patience = self._timeout if timeout is None else timeout
        check_seconds(patience, "timeout")
        wanted: Any = arguments or UNSET
        try:
            async with asyncio.timeout(patience):
                while True:
                    for call in self._seen:
                        if not call.misfits(wanted):
                            return call
                    self._worker.news.clear()
                    await self._worker.news.wait()
        except TimeoutError:
            raise ExpectationError(
                f"{self.capability} was to be called{f' with {arguments!r}' if arguments else ''}, "
                f"and no such call came within {patience:g} s\n{describe_call_miss(wanted, self._seen)}"
            ) from None

    async def __aenter__(self) -> Self:
        self.note_entered()
        check_loop("loom_bridge.stub_capability")
        script = self._script or self
        if script.is_empty:
            raise HarnessError(f"{self!r} says nothing: .returns(...), .raises(...) or .calls(...)")
        answering = _Answering(self.capability, script, self._version)
        worker = _Stubbed(self._endpoint, self.agent_id, answering)
        with self._host.guarded():
            await worker.start(CONNECT_S)
        self._seen = worker.calls
        self._worker = worker
        return self

    async def __aexit__(self, *exc: object) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.leave()


class _Stubbed(Scripted):
    """The running half of a stub: it offers one capability, and hears nothing."""

    def __init__(self, endpoint: Endpoint, agent_id: str, capability: Capability[..., Any]) -> None:
        super().__init__(endpoint, agent_id, (), [capability], Record(agent_id))
        self.news = asyncio.Event()

    def called(self, call: action_pb2.ActionCall) -> None:
        """A call: noted, told to who waits for one, and answered."""
        super().called(call)
        self.news.set()


class _Answering(Capability[[], Any]):
    """A capability whose answers are a script's."""

    def __init__(self, name: str, script: Script, version: str) -> None:
        super().__init__(_anything, name, version=version, description="stubbed by a test")
        self._script = script

    async def run(self, payload: bytes, context: Context | None = None) -> bytes:
        """Answers as the script says."""
        assert context is not None
        try:
            arguments = decode_json(payload) or {}
        except PayloadError:
            arguments = payload
        try:
            return encode_payload(await self._script.answer(SeenCall(self.name, arguments, ""), context))
        except LoomError:
            raise
        except Exception as error:
            raise self._failed(error) from error


def _anything() -> Any:
    """Stands for a scripted answer."""
