"""What `loom doctor` finds: each look gives findings, and touches nothing."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from loom.config import Settings

__all__ = ["Finding", "Level", "bridge_kinds", "settings_found", "versions"]

Level = Literal["good", "note", "warn", "bad"]

OLDEST = {"grpcio": (1, 74), "protobuf": (6, 33), "pydantic": (2, 9), "click": (8, 1)}
"""The oldest versions that Loom runs with."""

OLDEST_PYTHON = (3, 11)
CARGO = "not built yet; `loom dev --bridge rust` builds it with cargo"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found. Only `bad` makes the doctor's exit code 1."""

    section: str
    name: str
    level: Level
    found: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """The finding as a JSON object."""
        return asdict(self)


def versions() -> Iterator[Finding]:
    """Python, Loom and what it stands on."""
    python = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info < OLDEST_PYTHON
    yield Finding(
        "installation",
        "python",
        "bad" if old else "good",
        f"{python}  {sys.executable}",
        "install Python 3.11 or newer" if old else "",
    )
    yield Finding("installation", "loom-py", "good", version("loom-py"))
    for name, oldest in OLDEST.items():
        yield _package(name, oldest)
    yield _extra("pytest", "testing", "tests of your agents")
    yield _extra("watchfiles", "reload", "--reload")


def settings_found(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """What is set, and where. The token is never shown."""
    file = settings.file
    yield Finding("settings", "loom.toml", "note", str(file) if file else "none from here upwards")
    endpoint = settings.endpoint
    bridge = f"{endpoint.address}  ({settings.reason})" if endpoint else "none is named"
    yield Finding("settings", "bridge", "note", bridge)
    place = _place("LOOM_NAMESPACE", "bridge", "namespace", settings, environ)
    yield Finding("settings", "namespace", "note", f"{settings.namespace}  ({place})")
    if endpoint is not None and endpoint.token is not None:
        tls = "" if endpoint.tls or endpoint.is_local else "; it travels in the clear"
        level: Level = "warn" if tls else "note"
        remedy = "set tls = true under [bridge] in loom.toml" if tls else ""
        yield Finding("settings", "token", level, f"set, not shown{tls}", remedy)
    else:
        yield Finding("settings", "token", "note", "none")
    yield Finding("settings", "tls", "note", "on" if endpoint and endpoint.tls else "off")
    yield Finding("settings", "local bridge", "note", "allowed" if settings.local else "not allowed")
    yield _memory(settings.memory)


def _memory(spec: str) -> Finding:
    """The store that agents would use. Making it opens nothing yet."""
    from loom.errors import ConfigError
    from loom.memory import open_memory

    try:
        open_memory(spec)
    except ConfigError as error:
        return Finding("settings", "memory", "bad", error.message)
    return Finding("settings", "memory", "note", spec)


def bridge_kinds(environ: Mapping[str, str]) -> Iterator[Finding]:
    """The bridges that `loom dev` could start here; nothing is built."""
    from loom.errors import ConfigError
    from loom.runtime import docker, rust

    yield Finding("bridges here", "fake", "good", "part of loom-py; `loom dev --bridge fake`")
    try:
        binary = next(rust.binaries(environ), None)
    except ConfigError as error:
        yield Finding("bridges here", "rust", "bad", error.message)
    else:
        found = f"{binary.path}  ({binary.reason})" if binary else rust.can_have(environ)
        yield Finding("bridges here", "rust", "good" if binary else "note", found or CARGO)
    problem = docker.can_have(environ)
    yield Finding("bridges here", "docker", "note" if problem else "good", problem or "an engine answers")


def _package(name: str, oldest: tuple[int, ...]) -> Finding:
    try:
        found = version(name)
    except PackageNotFoundError:
        return Finding("installation", name, "bad", "not installed", f"pip install {name}")
    numbers = tuple(int(part) for part in found.split(".")[: len(oldest)] if part.isdigit())
    if numbers < oldest:
        least = ".".join(map(str, oldest))
        return Finding("installation", name, "bad", f"{found} is too old", f"pip install '{name}>={least}'")
    return Finding("installation", name, "good", found)


def _extra(name: str, extra: str, purpose: str) -> Finding:
    if find_spec(name) is None:
        found = f"not installed; `pip install 'loom-py[{extra}]'` brings it, for {purpose}"
        return Finding("installation", name, "note", found)
    return Finding("installation", name, "good", version(name))


def _place(variable: str, table: str, key: str, settings: Settings, environ: Mapping[str, str]) -> str:
    """Where a setting was said, in the order in which the places are asked."""
    if environ.get(variable):
        return f"from {variable}"
    if settings.file is not None:
        tables: dict[str, Any] = tomllib.loads(settings.file.read_text("utf-8"))
        if key in tables.get(table, {}):
            return f"from {settings.file}"
    return "the default"
