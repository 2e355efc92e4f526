"""The bridges that Loom's contestants run on, as their users start them."""

from __future__ import annotations

import os
import subprocess
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING

from benchmarks.machine import installed
from benchmarks.processes import serving
from loom.runtime import rust
from loom.runtime.programs import Program, choose

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

__all__ = ["bridge", "missing", "versions"]

LISTENING = r"(127\.0\.0\.1:\d+)"


@asynccontextmanager
async def bridge(kind: str) -> AsyncIterator[str]:
    """A bridge of its own, `rust` or `fake`, in a process of its own; its address."""
    program = _program(kind)
    async with serving(
        [*program.at(0), "--log-level", "warn" if kind == "rust" else "warning"], LISTENING
    ) as at:
        yield at


def missing(kind: str) -> str:
    """Why there is no such bridge here, and what to do."""
    return rust.can_have(os.environ) if kind == "rust" else ""


def versions(kind: str) -> Mapping[str, str]:
    """Ours, and the bridge's."""
    if kind != "rust":
        return installed()
    said = subprocess.run([*_program(kind).command, "--version"], capture_output=True, text=True, check=True)
    name, _, version = said.stdout.strip().partition(" ")
    return {**installed(), name: version}


@cache
def _program(kind: str) -> Program:
    return choose(kind, os.environ)
