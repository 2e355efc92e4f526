"""The folder of a local bridge: one's own, or refused."""

import os
import tempfile
from pathlib import Path

import pytest

from loom.errors import ConfigError
from loom.runtime.folder import locked, runtime_folder


def test_the_places_in_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    named, xdg = tmp_path / "named", tmp_path / "xdg"
    assert runtime_folder({"LOOM_RUNTIME_DIR": str(named), "XDG_RUNTIME_DIR": str(xdg)}) == named
    assert runtime_folder({"XDG_RUNTIME_DIR": str(xdg)}) == xdg / "loom"
    assert runtime_folder({}) == tmp_path / "temp" / f"loom-{os.getuid()}"


def test_it_is_made_for_its_user_only(tmp_path):
    folder = runtime_folder({"LOOM_RUNTIME_DIR": str(tmp_path / "a" / "b")})
    assert folder.stat().st_mode & 0o777 == 0o700
    assert runtime_folder({"LOOM_RUNTIME_DIR": str(folder)}) == folder


def refused(folder, message):
    with pytest.raises(ConfigError, match=message) as caught:
        runtime_folder({"LOOM_RUNTIME_DIR": str(folder)})
    assert "\n" not in str(caught.value)
    assert "set LOOM_RUNTIME_DIR to a folder of your own" in str(caught.value)


def test_a_folder_that_others_may_write_is_refused(tmp_path):
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    refused(folder, "others may write")


def test_a_folder_of_another_user_is_refused(tmp_path, monkeypatch):
    folder = runtime_folder({"LOOM_RUNTIME_DIR": str(tmp_path / "mine")})
    uid = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    refused(folder, "belongs to another user")


def test_a_link_to_a_folder_is_refused(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    refused(tmp_path / "link", "is not a folder")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    refused(tmp_path / "file" / "below", "cannot make .* for the local bridge: Not a directory")


def test_one_at_a_time_holds_the_lock(tmp_path):
    with locked(tmp_path) as first:
        assert first
        with locked(tmp_path) as second:
            assert not second
    with locked(tmp_path) as third:
        assert third
    assert Path(tmp_path / "bridge.lock").stat().st_mode & 0o077 == 0
