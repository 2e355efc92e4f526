"""Running agents as a program: until a signal, or until one of them ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections import Counter
from typing import TYPE_CHECKING

from loom.errors import DefinitionError, LoomError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loom.agent import Agent
    from loom.endpoint import Endpoint

__all__ = ["run", "serve"]

DEFAULT_GRACE_S = 5.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)

_log = logging.getLogger("loom")


def run(
    *agents: Agent, endpoint: str | Endpoint | None = None, grace: float = DEFAULT_GRACE_S
) -> signal.Signals | None:
    """Runs agents in this process and blocks until they end.

    SIGINT and SIGTERM stop them in order; a second signal stops them at once. Where the program set up no
    logging, it gets one: INFO and above on stderr (`LOOM_LOG` names another level).

    Args:
        agents: the agents; when one fails all of them end.
        endpoint: the bridge, before what was said elsewhere.
        grace: seconds for what is open when they stop.

    Returns:
        The signal that stopped them; None where an agent ended by itself.

    Raises:
        LoomError: an agent could not start, or what ended it, such as `Superseded`.
    """
    _set_up_logging()
    try:
        return asyncio.run(serve(*agents, endpoint=endpoint, grace=grace))
    except KeyboardInterrupt:  # only where the platform has no signal handlers for loops
        return signal.SIGINT
    except LoomError as error:
        # Its message says it all; where in the event loop it came up says nothing to the program's user.
        raise error.with_traceback(None) from None


async def serve(
    *agents: Agent, endpoint: str | Endpoint | None = None, grace: float = DEFAULT_GRACE_S
) -> signal.Signals | None:
    """What `run` does, inside a running event loop of the program's own.

    Returns:
        As `run`.

    Raises:
        LoomError: as `run`.
    """
    if not agents:
        raise DefinitionError("there is no agent to run: give at least one")
    twice = sorted(name for name, times in Counter(agent.id for agent in agents).items() if times > 1)
    if twice:
        raise DefinitionError(
            f"{', '.join(twice)} would run twice, and one would put out the other: give each agent an id of "
            "its own, or make them replicas (`Agent(id, replicas=True)`)"
        )
    told = asyncio.Event()
    hurry = asyncio.Event()
    with _signals(told, hurry) as came:
        lives = asyncio.create_task(_live(agents, endpoint), name="loom-run")
        await _first_of(lives, told)
        stopping = asyncio.create_task(_stop(agents, lives, grace), name="loom-stop")
        await _first_of(stopping, hurry)
        if not stopping.done():
            stopping.cancel()
            await asyncio.gather(stopping, *(agent.stop(0) for agent in agents), return_exceptions=True)
    if lives.done() and not lives.cancelled():
        error = lives.exception()
        if error is not None:
            raise error
    return came[0] if came else None


async def _live(agents: Sequence[Agent], endpoint: str | Endpoint | None) -> None:
    """Starts all, and waits until one ends."""
    starts = [asyncio.create_task(agent.start(endpoint)) for agent in agents]
    await _first_failure(starts)
    waits = [asyncio.create_task(agent.wait()) for agent in agents]
    await _first_failure(waits)


async def _first_failure(tasks: list[asyncio.Task[None]]) -> None:
    """Waits until all are done, or one fails; then cancels the others, and raises it."""
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _stop(agents: Sequence[Agent], lives: asyncio.Task[None], grace: float) -> None:
    if not lives.done():
        _log.info("stopping; what is open may take %g s, a second signal stops at once", grace)
        lives.cancel()
        await asyncio.wait([lives])
    results = await asyncio.gather(*(agent.stop(grace) for agent in agents), return_exceptions=True)
    for result in results:
        if isinstance(result, LoomError):
            _log.warning("%s", result.message)
        elif isinstance(result, BaseException):
            raise result


async def _first_of(task: asyncio.Task[None], event: asyncio.Event) -> None:
    signalled = asyncio.create_task(event.wait())
    await asyncio.wait([task, signalled], return_when=asyncio.FIRST_COMPLETED)
    signalled.cancel()


@contextlib.contextmanager
def _signals(told: asyncio.Event, hurry: asyncio.Event) -> Iterator[list[signal.Signals]]:
    """The first signal tells, the second hurries; the handlers before are back in force afterwards.

    Those that came are in the list.
    """
    those: list[signal.Signals] = []

    def came(kind: signal.Signals) -> None:
        those.append(kind)
        (hurry if told.is_set() else told).set()

    loop = asyncio.get_running_loop()
    before = {}
    for kind in SIGNALS:
        # Not in a thread other than the main one, and not on Windows.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            previous = signal.getsignal(kind)
            loop.add_signal_handler(kind, came, kind)
            before[kind] = previous
    try:
        yield those
    finally:
        for kind, previous in before.items():
            loop.remove_signal_handler(kind)
            signal.signal(kind, previous)


def _set_up_logging() -> None:
    # What gRPC would write to stderr about a lost connection is said better here.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    if logging.getLogger().handlers:
        return
    level = os.environ.get("LOOM_LOG", "INFO").upper()
    if level not in logging.getLevelNamesMapping():
        level = "INFO"
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
