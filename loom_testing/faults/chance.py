"""Chance that is the same again: drawn from a seed and from what it is about, never from an order of arrival.

Agents race. Were numbers drawn one after the other, a race would decide who gets which. So each is drawn
from where it is used: the fault, the agent, the message's number among those of that agent.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

__all__ = ["Chance"]

RANGE = 2**64


@dataclass(frozen=True, slots=True)
class Chance:
    """A source of chance.

    Attributes:
        seed: the same seed gives the same numbers.
    """

    seed: int = 0

    def draw(self, *about: object) -> float:
        """A number from 0 up to, not including, 1; the same for the same things."""
        return self.number(RANGE, *about) / RANGE

    def number(self, below: int, *about: object) -> int:
        """A whole number from 0 up to, not including, `below`."""
        text = "\0".join(str(part) for part in (self.seed, *about))
        drawn = hashlib.blake2b(text.encode(), digest_size=8).digest()
        return int.from_bytes(drawn) % below
