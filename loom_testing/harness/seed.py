"""`--loom-seed`: where the chance of faults comes from in one run. Light: every run reads it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HANDED", "SEED", "SEED_VARIABLE", "seed_of"]

SEED_VARIABLE = "LOOM_TEST_SEED"
SEED = "0"
HANDED = "loom_seed"
"""Under this name a worker of pytest-xdist is handed the seed: it reads the command line anew."""
RANDOM = "random"
BELOW = 1_000_000


def seed_of(config: pytest.Config) -> int:
    """The seed of a run; the same in all its workers.

    Raises:
        pytest.UsageError: what was given is none.
    """
    handed: Mapping[str, Any] = getattr(config, "workerinput", {})
    if HANDED in handed:
        return int(handed[HANDED])
    option = config.getoption("--loom-seed")
    text = str(option or os.environ.get(SEED_VARIABLE) or SEED)
    if text == RANDOM:
        import secrets

        return secrets.randbelow(BELOW)
    try:
        return int(text)
    except ValueError:
        name = "--loom-seed" if option else SEED_VARIABLE
        raise pytest.UsageError(f"{name} is {text!r}: give a whole number, or random") from None
