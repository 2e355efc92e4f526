"""The fake bridge and the test harness of Loom.

Names are imported when they are first used, so that a command line or a pytest run that needs none of them
does not wait for gRPC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loom_testing.bridge import CannotListenError, FakeBridge
    from loom_testing.engine.limits import Limits

__all__ = ["CannotListenError", "FakeBridge", "Limits"]

_HOMES = {
    "CannotListenError": "loom_testing.bridge",
    "FakeBridge": "loom_testing.bridge",
    "Limits": "loom_testing.engine.limits",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
