"""What an engine takes at the most. Sizes in bytes, times in whole milliseconds.

The names and defaults are those of `loom.v1.Limits`; a bridge tells them in its answer to a registration.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

__all__ = ["FEATURES", "Limits", "micros"]

FEATURES = ("cancel", "confirm", "drain", "session", "subscriptions")
"""The features this engine speaks, sorted. A client gets those of them that it names too."""

MICROS_PER_MS = 1000


def micros(milliseconds: int) -> int:
    """Engine time is whole microseconds; limits are told in milliseconds."""
    return milliseconds * MICROS_PER_MS


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one namespace.

    The last block is not told to clients: it bounds what no client can see.
    """

    event_bytes: int = 1024 * 1024
    message_bytes: int = 4 * 1024 * 1024
    queue_events: int = 10_000
    queue_bytes: int = 16 * 1024 * 1024
    waiting_calls: int = 1_000
    namespaces: int = 1_024
    connection_streams: int = 1_000
    subscriptions: int = 10_000
    capabilities: int = 1_000
    producer_outcomes: int = 1_024
    call_timeout_ms: int = 24 * 60 * 60 * 1000
    default_call_timeout_ms: int = 30_000
    registration_lapse_ms: int = 30_000
    handshake_ms: int = 10_000
    goodbye_flush_ms: int = 5_000
    slow_consumer_ms: int = 10_000
    idempotency_ms: int = 120_000
    producer_ms: int = 120_000

    heartbeat_interval_ms: int = 3_000
    stream_window: int = 64
    stream_replies: int = 256
    kept_results: int = 10_000
    kept_result_bytes: int = 16 * 1024 * 1024
    producers: int = 10_000

    def with_overrides(self, overrides: dict[str, int]) -> Limits:
        """These limits with some of them replaced.

        Raises:
            ValueError: a name is unknown or a value is below 1; the message names it.
        """
        known = {field.name for field in fields(self)}
        for name, value in sorted(overrides.items()):
            if name not in known:
                raise ValueError(f"unknown limit {name!r}; known are {', '.join(sorted(known))}")
            if value < 1:
                raise ValueError(f"limit {name} is {value}; it must be at least 1")
        return replace(self, **overrides)
