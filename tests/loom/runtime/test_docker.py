"""The bridge's image and its containers, on a Docker engine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time

import pytest

from loom.agent import Agent
from loom.errors import BridgeUnavailable
from loom.runtime import docker, rust
from tests.loom.conftest import settings

pytestmark = pytest.mark.docker

PATIENCE = 30.0


@pytest.fixture
def client():
    with contextlib.closing(docker.engine()) as client:
        yield client


@pytest.fixture
def image(client):
    return docker.ensure_image(client, os.environ)


@pytest.fixture
def container(client, image):
    container = docker.start(client, image, ["--log-level", "info"])
    yield container
    container.remove(force=True)


def served(container) -> str:
    """Waits until it serves; where."""
    end = time.monotonic() + PATIENCE
    while b"listening on" not in container.logs():
        assert time.monotonic() < end, container.logs()
    return docker.address_of(container)


async def test_two_agents_talk_through_the_image(container):
    address = await asyncio.to_thread(served, container)
    one, two = (Agent(name, settings=settings(address)) for name in ("one", "two"))

    @two.capability("double")
    async def double(number: int) -> int:
        return 2 * number

    @two.on("question")
    async def answer(ctx) -> None:
        await ctx.reply("an answer")

    async with two, one:
        assert await one.context().tool("double", number=21) == 42
        assert await one.context().request("question") == "an answer"


def test_it_runs_as_nobody_and_answers_its_health_check(client, image, container):
    served(container)
    config = client.images.get(image).attrs["Config"]
    assert config["User"] == "65532:65532"
    assert config["Healthcheck"]["Test"] == ["CMD", "/loom-bridge", "health"]
    assert list(config["ExposedPorts"]) == ["50051/tcp"]
    assert container.exec_run(["/loom-bridge", "health"]).exit_code == 0
    assert container.exec_run(["/loom-bridge", "health", "--address", "127.0.0.1:1"]).exit_code == 1


def test_the_same_binary_is_the_same_image(client, image):
    assert docker.ensure_image(client, os.environ) == image
    assert docker.existing_image(client, os.environ) == image


def test_an_image_that_is_named_is_taken(client):
    environ = {"LOOM_BRIDGE_IMAGE": "registry.example/bridge:1"}
    assert docker.ensure_image(client, environ) == "registry.example/bridge:1"
    assert docker.existing_image(client, environ) == "registry.example/bridge:1"
    with pytest.raises(BridgeUnavailable, match="Docker cannot start loom-bridge:nowhere: "):
        docker.start(client, "loom-bridge:nowhere", [])


def test_a_binary_that_needs_libraries_makes_no_image(client):
    environ = {"LOOM_BRIDGE_BIN": "/bin/sh"}
    with pytest.raises(BridgeUnavailable, match="needs libraries, and the image holds none: set LOOM_BRIDGE"):
        docker.ensure_image(client, environ)
    assert docker.existing_image(client, environ) != "/bin/sh"


def test_containers_of_processes_that_are_gone_are_removed(client, image, container):
    """Started by a process that ends at once, without a chance to tidy up."""
    from docker.errors import NotFound  # not there in every lane

    code = (
        "import os; from loom.runtime import docker; "
        f"print(docker.start(docker.engine(), {image!r}, []).id, flush=True); os._exit(0)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    left = said.stdout.strip()
    assert left in [each.id for each in client.containers.list(all=True)]
    docker.remove_stale(client)
    with contextlib.suppress(NotFound):  # another run may be sweeping it away at this moment
        client.containers.get(left).wait(timeout=PATIENCE, condition="removed")
    there = [each.id for each in client.containers.list(all=True, ignore_removed=True)]
    assert left not in there
    assert container.id in there  # its process lives


def test_without_an_engine_the_remedy_is_one_line(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    problem = docker.can_have({})
    assert problem.startswith("no Docker engine answers (")
    assert problem.endswith("start one, or set DOCKER_HOST")
    assert "\n" not in problem


def test_without_a_binary_an_image_may_be_named(monkeypatch):
    monkeypatch.setattr(rust, "can_have", lambda environ: "there is no Rust bridge here")
    assert (
        docker.can_have({})
        == "there is no Rust bridge here; or set LOOM_BRIDGE_IMAGE to an image of the bridge"
    )
    assert docker.can_have({"LOOM_BRIDGE_IMAGE": "x"}) == ""
