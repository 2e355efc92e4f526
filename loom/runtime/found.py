"""What finding a bridge gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from loom.endpoint import Endpoint

__all__ = ["Found"]


@dataclass(frozen=True, slots=True)
class Found:
    """A bridge.

    Attributes:
        endpoint: where it is.
        reason: why this one, for people.
        again: finds it again after it went away, where it may be back elsewhere; None where it stays put.
    """

    endpoint: Endpoint
    reason: str
    again: Callable[[], Awaitable[Endpoint]] | None = None
