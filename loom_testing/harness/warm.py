"""Keeping what grpc.aio sets up for an event loop, where that loop serves more tests than one.

With a process's last channel of grpc.aio goes the thread that reads for all of them, and with the next first
one it comes again; and with the last holder of a channel to the bridge goes the connection that the agents of
a test share. Together that is a third of a test that starts one agent. On a loop that has served a test
before, one more holder keeps both. A loop that lives for one test gains nothing, and gets none.
"""

from __future__ import annotations

import asyncio
import weakref
from dataclasses import dataclass, field

from loom import inmemory
from loom.endpoint import Endpoint
from loom.leases import Lease

__all__ = ["begin_test", "kept_for", "let_go", "loop_used"]


@dataclass(slots=True)
class _Kept:
    """What is known of this process."""

    test: int = 0
    address: str = ""
    seen: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, int] = field(
        default_factory=weakref.WeakKeyDictionary
    )
    loop: asyncio.AbstractEventLoop | None = None
    lease: Lease | None = None


_kept = _Kept()


def begin_test(address: str) -> None:
    """Another test begins, on the bridge at this address."""
    _kept.test += 1
    if address != _kept.address:
        let_go()
        _kept.address = address


def loop_used() -> None:
    """The test is about to use the running loop. What was kept for another is let go.

    Raises:
        RuntimeError: no loop runs.
    """
    loop = asyncio.get_running_loop()
    if loop is _kept.loop:
        return
    let_go()
    in_memory = _kept.address.startswith(inmemory.SCHEME)
    if _kept.seen.setdefault(loop, _kept.test) != _kept.test and not in_memory:
        lease = Lease(Endpoint(_kept.address, shares_connection=True))
        lease.channel.get_state(try_to_connect=True)
        _kept.loop, _kept.lease = loop, lease


def kept_for() -> asyncio.AbstractEventLoop | None:
    """The loop that something is kept for."""
    return _kept.loop


def let_go() -> None:
    """Keeps nothing any more."""
    if _kept.lease is not None:
        _kept.lease.forget()  # its loop may be closed already
    _kept.loop = _kept.lease = None
