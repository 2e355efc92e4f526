"""The bridge in Docker: an image of the static binary, and containers that never outlive who started them.

Needs the package `docker` (`pip install 'loom-py[docker]'`) and a Docker engine. The image is the one that
`LOOM_BRIDGE_IMAGE` names, else one made of the Rust bridge's binary, tagged by its content, so that a changed
binary is a new image. Containers carry labels that say which process they belong to: whoever starts one
removes those of processes that are gone.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import socket
import tarfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loom.errors import BridgeUnavailable
from loom.runtime import rust

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from docker import DockerClient
    from docker.models.containers import Container

__all__ = [
    "HOW_TO_GET",
    "PORT",
    "VARIABLE",
    "address_of",
    "can_have",
    "engine",
    "ensure_image",
    "existing_image",
    "kept_by",
    "remove_stale",
    "start",
]

VARIABLE = "LOOM_BRIDGE_IMAGE"
HOW_TO_GET = "pip install 'loom-py[docker]' and start a Docker engine"
REPOSITORY = "loom-bridge"
PORT = 50051
LABEL_OWNER = "dev.loom.owner"
LABEL_MACHINE = "dev.loom.machine"
ENGINE_S = 60
_HOST = "127.0.0.1"


def can_have(environ: Mapping[str, str]) -> str:
    """Why a bridge in Docker cannot be had, in one line with what to do; empty where it can."""
    if find_spec("docker") is None:
        return f"the package docker is not installed: {HOW_TO_GET}"
    try:
        client = engine()
    except BridgeUnavailable as error:
        return error.message
    with contextlib.closing(client):
        if environ.get(VARIABLE):
            return ""
    problem = rust.can_have(environ)
    return f"{problem}; or set {VARIABLE} to an image of the bridge" if problem else ""


def engine() -> DockerClient:
    """A client of the Docker engine.

    Raises:
        BridgeUnavailable: the package is missing, or no engine answers.
    """
    try:
        import docker
        from docker.errors import DockerException
    except ImportError as error:
        raise BridgeUnavailable(f"the package docker is not installed: {HOW_TO_GET}") from error
    try:
        client = docker.from_env(timeout=ENGINE_S)
        client.ping()
    except DockerException as error:
        raise BridgeUnavailable(
            f"no Docker engine answers ({_one_line(error)}): start one, or set DOCKER_HOST"
        ) from error
    return client


def existing_image(client: DockerClient, environ: Mapping[str, str]) -> str | None:
    """The image that could be started without building anything; None where there is none."""
    name = environ.get(VARIABLE)
    if name:
        return name
    binary = next((each for each in rust.binaries(environ) if rust.is_static(each.path)), None)
    if binary is None:
        return None
    tag = _tag(binary.path)
    return tag if client.images.list(tag) else None


def ensure_image(client: DockerClient, environ: Mapping[str, str]) -> str:
    """The image to start; built from the Rust bridge's binary where it is not there yet.

    Raises:
        BridgeUnavailable: there is no static binary, or the engine refuses.
    """
    from docker.errors import DockerException

    name = environ.get(VARIABLE)
    if name:
        return name
    binary = rust.build(environ)
    if not rust.is_static(binary.path):
        raise BridgeUnavailable(
            f"{binary.path} ({binary.reason}) needs libraries, and the image holds none: set {rust.VARIABLE} "
            f"to a static binary (python -m scripts.build_bridge), or {VARIABLE} to an image"
        )
    tag = _tag(binary.path)
    try:
        if not client.images.list(tag):
            client.images.build(fileobj=_context(binary.path), custom_context=True, tag=tag, rm=True)
    except (DockerException, TypeError) as error:
        raise BridgeUnavailable(f"Docker cannot build {tag}: {_one_line(error)}") from error
    return tag


def start(client: DockerClient, image: str, flags: Sequence[str], port: int = 0) -> Container:
    """Starts a bridge; it is removed when it ends.

    Args:
        client: the engine.
        image: the bridge's image.
        flags: what to tell the bridge beyond where it listens.
        port: on this machine's loopback; 0 takes any free one.

    Raises:
        BridgeUnavailable: the engine refuses.
    """
    from docker.errors import DockerException

    loopback: Any = (_HOST, port) if port else (_HOST,)  # the second form is in docker's words, not its types
    try:
        return client.containers.run(
            image,
            list(flags),
            detach=True,
            auto_remove=True,
            ports={f"{PORT}/tcp": loopback},
            labels={LABEL_OWNER: _owner(os.getpid()), LABEL_MACHINE: socket.gethostname()},
            # The engine need not ask what its owner watches.
            healthcheck={"test": ["NONE"]},
            cap_drop=["ALL"],
            read_only=True,
        )
    except DockerException as error:
        raise BridgeUnavailable(f"Docker cannot start {image}: {_one_line(error)}") from error


def address_of(container: Container) -> str:
    """Where a started container's bridge is reached, as `host:port`.

    Raises:
        BridgeUnavailable: it has ended already.
    """
    container.reload()
    published: list[dict[str, str]] | None = container.ports.get(f"{PORT}/tcp")
    if not published:
        raise BridgeUnavailable("the bridge's container ended at once; see what it said above")
    return f"{_HOST}:{published[0]['HostPort']}"


def kept_by(client: DockerClient, pid: int) -> Container:
    """The container that a process keeps.

    Raises:
        BridgeUnavailable: there is none.
    """
    label = f"{LABEL_OWNER}={_owner(pid)}"
    found: list[Container] = client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
    if not found:
        raise BridgeUnavailable(f"process {pid} keeps no container: it has ended")
    return found[0]


def remove_stale(client: DockerClient) -> int:
    """Removes the containers of processes of this machine that are gone; answers how many."""
    from docker.errors import APIError, NotFound

    removed = 0
    for container in client.containers.list(
        all=True, filters={"label": f"{LABEL_MACHINE}={socket.gethostname()}"}, ignore_removed=True
    ):
        owner = container.labels.get(LABEL_OWNER, "")
        if owner == _owner(int(owner.partition(":")[0] or 0)):
            continue
        with contextlib.suppress(NotFound, APIError):  # another run may sweep at the same moment
            container.remove(force=True)
            removed += 1
    return removed


def _owner(pid: int) -> str:
    """A process, told apart from a later one of the same number by when it began; empty if it is gone."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return f"{pid}:{status.rpartition(')')[2].split()[19]}"
    except OSError:
        pass
    if Path("/proc/self").exists():
        return ""
    try:
        os.kill(pid, 0)
    except OSError:
        return ""
    return f"{pid}:"


def _dockerfile() -> bytes:
    """The Dockerfile: the wheel's, or the checkout's."""
    here = Path(__file__).resolve().parent
    for place in (here / "Dockerfile", here.parent.parent / "bridge" / "Dockerfile"):
        if place.is_file():
            return place.read_bytes()
    raise BridgeUnavailable("this installation of loom carries no Dockerfile; install loom-py again")


def _tag(binary: Path) -> str:
    digest = hashlib.sha256(_dockerfile())
    with binary.open("rb") as file:
        digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"{REPOSITORY}:{digest.hexdigest()[:16]}"


def _context(binary: Path) -> io.BytesIO:
    """What the engine builds from: the Dockerfile and the binary."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, mode, content in (
            ("Dockerfile", 0o644, _dockerfile()),
            ("loom-bridge", 0o755, binary.read_bytes()),
        ):
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = mode, len(content)
            tar.addfile(entry, io.BytesIO(content))
    archive.seek(0)
    return archive


def _one_line(error: Any) -> str:
    return " ".join(str(error).split())[:300]
