"""`check`: how a check is written, and `load`: all of them."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from loom_conformance.bench import Bench

    Body = Callable[[Bench], Awaitable[None]]

__all__ = ["Check", "check", "load"]

Clock = Literal["virtual", "real"]

_CHECKS: dict[str, Check] = {}


@dataclass(frozen=True, slots=True)
class Check:
    """One trial of one clause.

    Attributes:
        name: the function's name, unlike that of any other check.
        clause: the id of the clause that it judges.
        summary: what is tried, in a sentence.
        body: tries it; raises `Violation` where the bridge does otherwise.
        needs: features that the check uses beyond the clause's own, such as `control`.
        clock: the clock of its namespace, where the bridge offers control.
        limits: limits of its namespace that differ from the bridge's own; needs `control`.
        liveness: whether silent sessions are taken for dead also on a virtual clock (SES-7).
    """

    name: str
    clause: str
    summary: str
    body: Body
    needs: tuple[str, ...] = ()
    clock: Clock = "virtual"
    limits: Mapping[str, int] = field(default_factory=dict)
    liveness: bool = False


def check(
    clause: str,
    *,
    needs: Sequence[str] = (),
    clock: Clock = "virtual",
    limits: Mapping[str, int] | None = None,
    liveness: bool = False,
) -> Callable[[Body], Body]:
    """Makes a check of a coroutine function; its docstring says what it tries.

    Args:
        clause: the clause that it judges, such as `PUB-1.2`.
        needs: features that it uses beyond the clause's own.
        clock: the clock of its namespace, where the bridge offers control.
        limits: limits of its namespace that differ from the bridge's own; they need `control`.
        liveness: silent sessions are taken for dead also on a virtual clock (SES-7).

    Raises:
        ValueError: another check has the name, or there is no docstring.
    """

    def register(body: Body) -> Body:
        name = body.__name__
        summary = inspect.getdoc(body)
        if not summary:
            raise ValueError(f"check {name} does not say what it tries: give it a docstring")
        if name in _CHECKS:
            raise ValueError(f"two checks are named {name}, of {_CHECKS[name].clause} and {clause}")
        needed = {*needs, "control"} if limits else {*needs}
        _CHECKS[name] = Check(
            name,
            clause,
            " ".join(summary.split()),
            body,
            tuple(sorted(needed)),
            clock,
            dict(limits or {}),
            liveness,
        )
        return body

    return register


def load() -> list[Check]:
    """Every check of the suite, in the order of its modules and within them."""
    from loom_conformance import checks

    for module in sorted(pkgutil.iter_modules(checks.__path__), key=lambda item: item.name):
        importlib.import_module(f"{checks.__name__}.{module.name}")
    return list(_CHECKS.values())
