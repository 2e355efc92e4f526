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
    from loom_testing.harness.errors import (
        BridgeDiedError,
        ExpectationError,
        HangError,
        HarnessError,
        NoControlError,
        WrongPlaceError,
    )
    from loom_testing.harness.handle import LoomBridge
    from loom_testing.harness.lives import BridgeLife
    from loom_testing.harness.probe import Probe
    from loom_testing.harness.standin import StandIn
    from loom_testing.harness.stub import Stub

__all__ = [
    "BridgeDiedError",
    "BridgeLife",
    "CannotListenError",
    "ExpectationError",
    "FakeBridge",
    "HangError",
    "HarnessError",
    "Limits",
    "LoomBridge",
    "NoControlError",
    "Probe",
    "Snapshot",
    "StandIn",
    "Stub",
    "SyncLoomBridge",
    "SyncProbe",
    "WrongPlaceError",
]

_HOMES = {
    "BridgeDiedError": "loom_testing.harness.errors",
    "BridgeLife": "loom_testing.harness.lives",
    "CannotListenError": "loom_testing.bridge",
    "ExpectationError": "loom_testing.harness.errors",
    "FakeBridge": "loom_testing.bridge",
    "HangError": "loom_testing.harness.errors",
    "HarnessError": "loom_testing.harness.errors",
    "Limits": "loom_testing.engine.limits",
    "LoomBridge": "loom_testing.harness.handle",
    "NoControlError": "loom_testing.harness.errors",
    "Probe": "loom_testing.harness.probe",
    "Snapshot": "loom_testing.harness.control",
    "StandIn": "loom_testing.harness.standin",
    "Stub": "loom_testing.harness.stub",
    "SyncLoomBridge": "loom_testing.harness.blocking",
    "SyncProbe": "loom_testing.harness.blocking",
    "WrongPlaceError": "loom_testing.harness.errors",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
