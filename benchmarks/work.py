"""The work that is the same for every contestant.

Standard library only: the players in a peer's environment use it too.
"""

from __future__ import annotations

import uuid

__all__ = ["PAYLOAD", "TEXT", "TOPIC", "metadata"]

TEXT = "x" * 256
PAYLOAD = TEXT.encode()
"""What an event, a request or a call carries; what answers it is as long."""

TOPIC = "bench.work"


def metadata(sender: str) -> dict[str, str]:
    """What travels beside the payload where the contestant brings none of it itself; an id is as Loom's."""
    return {
        "id": uuid.uuid4().hex,
        "sender": sender,
        "thread": "0123456789abcdef",
        "correlation": "fedcba9876543210",
    }
