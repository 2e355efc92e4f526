"""Arguments on the command line."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from loom.cli.arguments import read_arguments, read_json
from loom.cli.exits import Exit, Failure


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ((), {}),
        (('{"a": [1, null]}',), {"a": [1, None]}),
        (("{}",), {}),
        (("name=Ada",), {"name": "Ada"}),
        (
            ("limit=5", "deep=true", "ratio=0.5", 'tags=["a"]'),
            {"limit": 5, "deep": True, "ratio": 0.5, "tags": ["a"]},
        ),
        (('name="5"',), {"name": "5"}),
        (("empty=",), {"empty": ""}),
        (("query=a=b",), {"query": "a=b"}),
        (("zip=01234",), {"zip": "01234"}),
        (("x=NaN",), {"x": "NaN"}),
        (("x=" + "[" * 100_000,), {"x": "[" * 100_000}),
    ],
)
def test_arguments(words: tuple[str, ...], value: dict[str, Any]) -> None:
    assert read_arguments(words) == value


def test_a_schema_keeps_text_as_text() -> None:
    schema = {"properties": {"zip": {"type": "string"}, "limit": {"type": "integer"}}}
    assert read_arguments(("zip=12345", "limit=5"), schema) == {"zip": "12345", "limit": 5}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("[1]",), "arguments are a JSON object, and this is '[1]'"),
        (("Ada",), "'Ada' is no JSON (Expecting value: line 1 column 1 (char 0))"),
        (('{"a": }',), "is no JSON (Expecting value: line 1 column 7 (char 6))"),
        (('{"a": NaN}',), "NaN is not allowed"),
        (("[" * 100_000,), "is no JSON (it is nested too deeply)"),
        (("a=1", "{}"), "'{}' is not key=value"),
        (("a=1", "=2"), "'=2' is not key=value"),
        (("@nowhere.json",), "cannot read nowhere.json: No such file or directory; check the path after @"),
    ],
)
def test_malformed_arguments_are_one_line(words: tuple[str, ...], says: str) -> None:
    with pytest.raises(Failure) as caught:
        read_arguments(words)
    assert caught.value.ends is Exit.USAGE
    assert says in caught.value.message
    assert "\n" not in caught.value.message


def test_json_from_a_file_and_from_stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in.json").write_text("[1, 2]")
    assert read_json(f"@{tmp_path}/in.json") == [1, 2]
    monkeypatch.setattr("sys.stdin", io.StringIO('"text"'))
    assert read_json("-") == "text"


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "in.json").write_bytes(b"\xff")
    with pytest.raises(Failure, match="it is not UTF-8"):
        read_json(f"@{tmp_path}/in.json")
