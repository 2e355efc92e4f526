"""Running synchronous functions off the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["run_in_thread"]

P = ParamSpec("P")
T = TypeVar("T")


async def run_in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs a synchronous function in a thread of its own, with a copy of the caller's context variables.

    How many run at once is the caller's business. A function cannot be interrupted: when the caller is
    cancelled it goes on, and its result is dropped. The thread is a daemon, so that a function which never
    returns does not keep the program from ending; a pool of ordinary threads would.

    Raises:
        BaseException: whatever the function raises.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[tuple[bool, T | BaseException]] = loop.create_future()
    context = contextvars.copy_context()

    def finish(outcome: tuple[bool, T | BaseException]) -> None:
        if not done.done():
            done.set_result(outcome)

    def work() -> None:
        # The outcome travels as a value: a future takes no StopIteration, and the loop ends on SystemExit.
        outcome: tuple[bool, T | BaseException]
        try:
            outcome = (True, context.run(function, *args, **kwargs))
        except BaseException as error:
            outcome = (False, error)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(finish, outcome)

    name = getattr(function, "__name__", type(function).__name__)
    threading.Thread(target=work, name=f"loom-{name}", daemon=True).start()
    returned, value = await done
    if not returned:
        assert isinstance(value, BaseException)
        raise value
    return value  # type: ignore[return-value]  # the flag says that it is what the function returned
