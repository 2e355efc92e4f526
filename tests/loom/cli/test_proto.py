"""`loom proto`: exporting, checking, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loom.cli.exits import Failure
from loom.cli.proto import tell
from loom.protogen import Drift

if TYPE_CHECKING:
    from tests.loom.cli.conftest import Loom

DRIFTS = [Drift("loom/v1/a_pb2.py", "changed"), Drift("b", "missing"), Drift("c", "stale")]


def test_the_proto_files_are_exported(loom: Loom) -> None:
    done = loom("proto", "--export", "wire")
    assert done.exit_code == 0
    assert "wire/loom/v1/event.proto" in done.stdout.splitlines()
    assert "message Event {" in Path("wire/loom/v1/event.proto").read_text()
    assert json.loads(loom("proto", "--export", "wire", "--json").stdout)["written"] == done.stdout.split()


def test_a_place_that_cannot_be_written(loom: Loom) -> None:
    Path("file").write_text("")
    done = loom("proto", "--export", "file/below")
    assert done.exit_code == 2
    assert done.stderr.startswith("error: cannot write to file/below")
    assert done.stderr.count("\n") == 1


def test_one_thing_at_a_time(loom: Loom) -> None:
    done = loom("proto", "--export", "wire", "--check")
    assert done.exit_code == 2
    assert done.stderr == "error: --check and --export do different things; give one of them\n"


def test_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    tell([], only_check=True, as_json=False)
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "  ✓ the generated code is up to date\n")


def test_what_was_written_anew(capsys: pytest.CaptureFixture[str]) -> None:
    tell(DRIFTS, only_check=False, as_json=False)
    assert capsys.readouterr().err.splitlines()[:-1] == [
        "  ! loom/v1/a_pb2.py written anew",
        "  ! b written",
        "  ! c removed",
    ]


def test_what_is_out_of_date(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Failure, match="run `loom proto`"):
        tell(DRIFTS, only_check=True, as_json=True)
    told = capsys.readouterr()
    assert json.loads(told.out)["drift"][0] == {"path": "loom/v1/a_pb2.py", "kind": "changed"}
    assert "c belongs to no .proto file" in told.err
