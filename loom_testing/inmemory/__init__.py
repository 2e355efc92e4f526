"""The fake bridge in the memory of a test's process: the same services and engines, without gRPC's transport.

Messages are the same bytes, and calls have the same metadata, statuses, deadlines and backpressure; they are
handed from thread to thread instead of over a socket. `pytest --loom-bridge=memory` runs tests on it.

Layout:
    bridge        the bridge, in a thread with an event loop of its own
    line          one call: what goes to and fro between two threads
    serving       the bridge's end of it: what a service's handler takes for gRPC's context
    channel       the client's end on an event loop: what a stub takes for a channel of grpc.aio
    sync_channel  the client's end in a thread: what a stub takes for a channel of gRPC
"""

from __future__ import annotations

from loom_testing.inmemory.bridge import InMemoryBridge

__all__ = ["InMemoryBridge"]
