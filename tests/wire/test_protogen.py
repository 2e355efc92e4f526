"""The generated code is what the .proto files generate, and drift from it is found and mended."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from loom import protogen
from loom.errors import ConfigError
from loom.protogen import Drift

ROOT = protogen.checkout()
GENERATED = ("loom/v1", "loom/testing/v1", "loom/view/v1")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout of which only the wire is there."""
    for folder in ("proto", *GENERATED):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def test_generated_code_is_what_the_protos_generate() -> None:
    drifts = protogen.check(ROOT)
    assert not drifts, "run `loom proto` and commit what it writes"


def test_drift_is_found_and_mended(copy: Path) -> None:
    (copy / "loom/v1/event_pb2.py").write_text("# changed\n")
    (copy / "loom/v1/stream_pb2.pyi").unlink()
    (copy / "loom/view/v1/gone_pb2.py").write_text("# nothing generates it\n")
    expected = [
        Drift("loom/v1/event_pb2.py", "changed"),
        Drift("loom/v1/stream_pb2.pyi", "missing"),
        Drift("loom/view/v1/gone_pb2.py", "stale"),
    ]
    lines: list[str] = []
    assert protogen.check(copy, lines.append) == expected
    assert lines[-1] == "generating code from 7 .proto files"
    assert protogen.regenerate(copy, lines.append) == expected
    for folder in GENERATED:
        names = {path.name for path in (ROOT / folder).iterdir() if path.is_file()}
        assert {path.name for path in (copy / folder).iterdir() if path.is_file()} == names
        for name in names:
            assert (copy / folder / name).read_bytes() == (ROOT / folder / name).read_bytes()
    assert protogen.regenerate(copy, lines.append) == []


def test_a_changed_proto_is_drift(copy: Path) -> None:
    proto = copy / "proto/loom/v1/event.proto"
    proto.write_text(
        proto.read_text().replace("int32 priority = 9;", "int32 priority = 9;\n  bool urgent = 100;")
    )
    changed = {drift.path for drift in protogen.check(copy)}
    assert changed == {"loom/v1/event_pb2.py", "loom/v1/event_pb2.pyi"}


def test_stubs_of_services_are_kept_where_there_are_services() -> None:
    stubs = {name for name in protogen.generate(ROOT / "proto") if "_pb2_grpc." in name}
    assert stubs == {
        "loom/v1/bridge_pb2_grpc.py",
        "loom/v1/bridge_pb2_grpc.pyi",
        "loom/testing/v1/control_pb2_grpc.py",
        "loom/testing/v1/control_pb2_grpc.pyi",
    }


def test_a_malformed_proto_is_named(copy: Path) -> None:
    (copy / "proto/loom/v1/event.proto").write_text('syntax = "proto3";\nmessage {}\n')
    with pytest.raises(ConfigError, match=r"protoc failed: .*loom/v1/event\.proto:2:\d+: .*mend") as caught:
        protogen.check(copy)
    assert "\n" not in caught.value.message


def test_the_tools_are_told_when_they_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    lines: list[str] = []
    with pytest.raises(
        ConfigError, match=r"grpcio-tools==1\.74\.0, .*cannot be installed: ERROR: .*check the network"
    ):
        protogen.check(ROOT, lines.append)
    assert [line.partition(",")[0] for line in lines] == ["installing the generator once"]
    assert list((tmp_path / "loom/proto-tools").iterdir()) == [], "half an environment was left behind"


def test_export_gives_the_files(tmp_path: Path) -> None:
    written = protogen.export(tmp_path / "there")
    assert [path.relative_to(tmp_path / "there").as_posix() for path in written] == [
        "loom/testing/v1/control.proto",
        "loom/v1/action.proto",
        "loom/v1/agent.proto",
        "loom/v1/bridge.proto",
        "loom/v1/event.proto",
        "loom/v1/stream.proto",
        "loom/view/v1/view.proto",
    ]
    for path in written:
        assert path.read_bytes() == (ROOT / "proto" / path.relative_to(tmp_path / "there")).read_bytes()


def test_export_to_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot write to .*name another folder"):
        protogen.export(tmp_path / "file")


def test_an_installed_package_exports_and_does_not_regenerate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protogen, "__file__", str(tmp_path / "site-packages/loom/protogen.py"))
    with pytest.raises(ConfigError, match="install loom-py again"):
        protogen.export(tmp_path / "there")
    shutil.copytree(ROOT / "proto", tmp_path / "site-packages/loom/proto")
    assert len(protogen.export(tmp_path / "there")) == 7
    with pytest.raises(ConfigError, match="only a checkout of Loom can regenerate"):
        protogen.checkout()
