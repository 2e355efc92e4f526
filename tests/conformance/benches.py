"""Checks of our own making, and a bench for them on a fake bridge in this process."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from loom_conformance.bench import Bench
from loom_conformance.declared import Declared, ask
from loom_conformance.expect import counting
from loom_conformance.registry import Check
from loom_conformance.target import Target
from loom_testing import FakeBridge


def a_check(body: Callable[[Bench], Awaitable[None]], clause: str = "HB-1.1", **fields: Any) -> Check:
    """A check that the suite does not know."""
    return Check(body.__name__, clause, "A trial.", body, **fields)


async def nothing(bench: Bench) -> None:
    """A check that judges nothing."""


@contextlib.asynccontextmanager
async def a_bench(*, testing: bool = True, namespaces: bool = True, **fields: Any) -> AsyncIterator[Bench]:
    """A bench on a fake bridge of its own; fields are the check's."""
    counting()
    async with FakeBridge(testing=testing) as bridge:
        target = Target(bridge.address)
        declared = await ask(target)
        if not namespaces:
            declared = Declared(declared.features - {"namespaces", "control"})
        async with Bench(target, declared, a_check(nothing, **fields)) as bench:
            yield bench
