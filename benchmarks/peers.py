"""Where the peers are, and how to install what is not here."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import TYPE_CHECKING

from benchmarks.machine import installed
from benchmarks.processes import serving

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "autogen_found",
    "autogen_missing",
    "autogen_python",
    "autogen_versions",
    "faststream_missing",
    "nats_missing",
    "nats_server",
    "nats_versions",
]

AUTOGEN = "LOOM_BENCH_AUTOGEN"
"""Names the Python of AutoGen's own environment: its pins of grpcio and protobuf are not ours."""

BY_MAKE = "make bench installs it"


def nats_missing() -> str:
    """Why NATS cannot take part."""
    if _nats_server() is None:
        return "no nats-server; scripts/system-packages.sh --bench installs it"
    return _not_here("nats", "nats-py")


def nats_server() -> AbstractAsyncContextManager[str]:
    """A nats-server on a free port, as it is configured by itself; its address."""
    server = _nats_server()
    assert server is not None  # nats_missing was asked
    return serving(
        [server, "--addr", "127.0.0.1", "--port", "-1"], r"client connections on (127\.0\.0\.1:\d+)"
    )


def nats_versions() -> Mapping[str, str]:
    """Of the client and the server."""
    said = subprocess.run([_nats_server() or "", "--version"], capture_output=True, text=True, check=True)
    return {**installed("nats-py"), "nats-server": said.stdout.split()[-1].removeprefix("v")}


def faststream_missing() -> str:
    """Why FastStream cannot take part."""
    return _not_here("faststream", "faststream[nats]") or _not_here("nats", "nats-py")


def autogen_python() -> str:
    """The Python of AutoGen's environment."""
    return os.environ.get(AUTOGEN, "")


def autogen_missing() -> str:
    """Why AutoGen cannot take part."""
    if not autogen_found():
        return f"no autogen-ext[grpc] in an environment of its own; {BY_MAKE}, and {AUTOGEN} names another"
    return ""


def autogen_versions() -> Mapping[str, str]:
    """Of AutoGen, and of what it runs on."""
    return {**installed(), **autogen_found()}


def _nats_server() -> str | None:
    # Debian's is where only root looks.
    folders = [os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"]
    return shutil.which("nats-server", path=os.pathsep.join(folders))


def _not_here(module: str, requirement: str) -> str:
    return "" if importlib.util.find_spec(module) else f"no {requirement}; {BY_MAKE}"


_VERSIONS = """
import json
from importlib.metadata import version
import autogen_ext.runtimes.grpc
names = {"autogen-core": "autogen-core", "autogen-ext": "autogen-ext"}
names |= {"its grpcio": "grpcio", "its protobuf": "protobuf"}
print(json.dumps({name: version(distribution) for name, distribution in names.items()}))
"""


@cache
def autogen_found() -> dict[str, str]:
    """The versions in AutoGen's environment; none where it does not load."""
    try:
        said = subprocess.run([autogen_python(), "-c", _VERSIONS], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return {}
    versions: dict[str, str] = json.loads(said.stdout)
    return versions
