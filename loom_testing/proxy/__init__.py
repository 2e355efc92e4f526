"""A proxy in front of a bridge that sees every message: it records them, and does to them what faults say.

Layout:
    wire      one HTTP/2 connection, on asyncio
    signals   what is said about a connection itself, and passed on
    framing   gRPC messages in a stream of bytes
    headers   what of a call's metadata the proxy reads and writes
    lane      one direction of one call: in order, later, more than once
    call      one gRPC call, both directions
    link      one client's connection, and its counterpart to the bridge
    joint     the clock of one namespace: one participant for all that are behind the proxy
    clocks    the clocks of all namespaces
    proxy     what listens
    threaded  the same in a thread, for tests

What crosses is passed on as it is: metadata, deadlines, early headers, half-closes, resets, pings. Only
HTTP/2's own housekeeping (settings, windows) is between neighbours, as with any proxy.
"""

from __future__ import annotations

from loom_testing.proxy.proxy import Proxy
from loom_testing.proxy.threaded import ThreadedProxy

__all__ = ["Proxy", "ThreadedProxy"]
