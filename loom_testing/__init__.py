"""The fake bridge and the test harness of Loom.

Names are imported when they are first used, so that a command line or a pytest run that needs none of them
does not wait for gRPC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loom_testing.bridge import CannotListenError, FakeBridge
    from loom_testing.engine.limits import Limits
    from loom_testing.harness.blocking import SyncLoomBridge, SyncProbe
    from loom_testing.harness.control import Snapshot
    from loom_testing.harness.errors import BridgeDiedError, ExpectationError, HarnessError
    from loom_testing.harness.handle import LoomBridge
    from loom_testing.harness.probe import Probe

__all__ = [
    "BridgeDiedError",
    "CannotListenError",
    "ExpectationError",
    "FakeBridge",
    "HarnessError",
    "Limits",
    "LoomBridge",
    "Probe",
    "Snapshot",
    "SyncLoomBridge",
    "SyncProbe",
]

_HOMES = {
    "BridgeDiedError": "loom_testing.harness.errors",
    "CannotListenError": "loom_testing.bridge",
    "ExpectationError": "loom_testing.harness.errors",
    "FakeBridge": "loom_testing.bridge",
    "HarnessError": "loom_testing.harness.errors",
    "Limits": "loom_testing.engine.limits",
    "LoomBridge": "loom_testing.harness.handle",
    "Probe": "loom_testing.harness.probe",
    "Snapshot": "loom_testing.harness.control",
    "SyncLoomBridge": "loom_testing.harness.blocking",
    "SyncProbe": "loom_testing.harness.blocking",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
