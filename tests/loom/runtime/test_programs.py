"""The choice between the bridges that this machine can run."""

from __future__ import annotations

import contextlib
import logging
import sys
from pathlib import Path

import pytest

from loom.errors import BridgeUnavailable
from loom.runtime import docker, rust
from loom.runtime.programs import KINDS, choose

BINARY = rust.Binary(Path("/opt/loom-bridge"), "named by LOOM_BRIDGE_BIN")


@pytest.fixture
def here(monkeypatch):
    """What is on this machine: set by the test."""
    state = {"binary": None, "image": None}

    def no_engine():
        raise BridgeUnavailable("no Docker engine answers")

    def engine():
        return contextlib.nullcontext() if state["image"] else no_engine()

    def build(environ):
        if state["binary"] is None:
            raise BridgeUnavailable("there is no Rust bridge here")
        return state["binary"]

    monkeypatch.setattr(rust, "binaries", lambda environ: iter(filter(None, [state["binary"]])))
    monkeypatch.setattr(rust, "build", build)
    monkeypatch.setattr(docker, "engine", engine)
    monkeypatch.setattr(contextlib, "closing", lambda client: client)
    monkeypatch.setattr(docker, "existing_image", lambda client, environ: state["image"])
    monkeypatch.setattr(docker, "ensure_image", lambda client, environ: state["image"])
    return state


def test_the_kinds():
    assert KINDS == ("auto", "fake", "rust", "docker")


def test_auto_prefers_the_binary_and_says_why(here, caplog):
    here.update(binary=BINARY, image="loom-bridge:1")
    caplog.set_level(logging.INFO, "loom.runtime")
    program = choose("auto", {})
    assert program.at(0) == ["/opt/loom-bridge", "--listen", "127.0.0.1:0"]
    assert (program.kind, program.notice) == ("rust", "")
    assert caplog.messages == ["bridge rust: /opt/loom-bridge, named by LOOM_BRIDGE_BIN"]


def test_auto_takes_an_image_that_is_there(here):
    here.update(image="loom-bridge:1")
    program = choose("auto", {"LOOM_BRIDGE_IMAGE": "loom-bridge:1"})
    assert program.at(7) == [sys.executable, "-m", "loom.runtime.container", "--port", "7"]
    assert program.reason == "the image loom-bridge:1, named by LOOM_BRIDGE_IMAGE"


def test_auto_falls_back_to_the_fake_with_a_notice(here):
    program = choose("auto", {})
    assert program.at(7) == [sys.executable, "-m", "loom_testing", "serve", "--port", "7"]
    assert program.notice.startswith(
        "no Rust bridge is here, so this is the fake: for the real one pip install"
    )


def test_the_fake_that_was_asked_for_needs_no_notice(here):
    here.update(binary=BINARY)
    program = choose("fake", {})
    assert (program.kind, program.notice) == ("fake", "")


@pytest.mark.parametrize(("kind", "why"), [("rust", "no Rust bridge"), ("docker", "no Docker engine")])
def test_what_is_asked_for_and_not_there_is_an_error(here, kind, why):
    with pytest.raises(BridgeUnavailable, match=why):
        choose(kind, {})


def test_docker_that_was_asked_for(here):
    here.update(image="loom-bridge:1")
    assert choose("docker", {}).reason == "the image loom-bridge:1"
