"""The engines are twins: what has a name in one has it in the other, and the tables are the same."""

from __future__ import annotations

import copy
import dataclasses
import re
import types
import typing
from typing import Any

import pytest

from loom_testing.engine import inputs as i
from loom_testing.engine import messages as m
from loom_testing.engine import outputs as o
from loom_testing.engine.trace import decode_step, encode_step
from tests.differential.names import (
    RUST,
    differences,
    missing_names,
    python_modules,
    python_tables,
    rust_modules,
)
from tests.differential.rust import ROOT, RustEngine

ONE_SIDED = {
    "trace.read_trace": "Rust's engine reads no files; its program does",
    "lane (Rust's module)": "Python's OrderedDict",
    "names (Rust's module)": "Python's StrEnum and unions",
    "slots (Rust's module)": "Python's references",
}
"""What only one engine has, and what stands for it in the other."""


def test_modules_and_their_public_names() -> None:
    assert list(missing_names(python_modules(), rust_modules(), ONE_SIDED)) == []


def test_tables(rust: RustEngine) -> None:
    assert list(differences(python_tables(), rust.tables())) == []


@pytest.mark.parametrize("side", ["Python", "Rust"])
def test_a_planted_difference_of_names_is_seen(side: str) -> None:
    twins = {"Python": python_modules(), "Rust": rust_modules()}
    twins[side]["flow"].remove("read_or_pause")
    twins[side]["renamed"] = twins[side].pop("drain")
    found = list(missing_names(twins["Python"], twins["Rust"], ONE_SIDED))
    assert ("flow.read_or_pause" in found) == (side == "Rust")
    assert f"renamed ({side}'s module)" in found
    other = "Rust" if side == "Python" else "Python"
    assert f"drain ({other}'s module)" in found


def test_an_excuse_that_is_not_needed_is_seen() -> None:
    excused = {**ONE_SIDED, "flow.give": "no reason"}
    found = list(missing_names(python_modules(), rust_modules(), excused))
    assert found == ["flow.give is excused, but both have it"]


def test_a_planted_difference_of_any_table_is_seen(rust: RustEngine) -> None:
    """Each entry of each table is renamed in turn, and removed in turn."""
    tables = rust.tables()
    planted = 0
    for path in _entries(tables):
        for change in (_renamed, None):
            other = copy.deepcopy(tables)
            holder = other
            for step in path[:-1]:
                holder = holder[step]
            if change is None:
                del holder[path[-1]]
            else:
                holder[path[-1]] = change(holder[path[-1]])
            assert list(differences(python_tables(), other)), path
            planted += 1
    assert planted > 300


def _entries(table: Any, path: tuple[Any, ...] = ()) -> typing.Iterator[tuple[Any, ...]]:
    """The way to every single entry."""
    if isinstance(table, dict):
        for name, inner in table.items():
            yield from _entries(inner, (*path, name))
    elif isinstance(table, list) and path[0] != "trace":
        for place, inner in enumerate(table):
            yield from _entries(inner, (*path, place))
    else:
        yield path


def _renamed(value: Any) -> Any:
    return value + 1 if isinstance(value, int) else f"{value}X"


def test_every_field_is_known_to_both(rust: RustEngine) -> None:
    """Each input, output and message with every field set goes through the Rust engine's codec unchanged."""
    steps = [encode_step(1, _filled(kind), []) for kind in i.Input.__args__ if kind is not i.Receive]
    steps += [encode_step(1, i.Receive(1, _filled(kind)), []) for kind in m.ClientMessage.__args__]
    outputs = [_filled(kind) for kind in o.Output.__args__ if kind is not o.Send]
    outputs += [o.Send(1, _filled(kind)) for kind in m.ServerMessage.__args__]
    steps.append(encode_step(1, i.Tick(), outputs))
    text = "\n".join([*steps, ""])
    assert rust.recode(text) == text
    assert [encode_step(s.at, s.input, s.outputs) for s in map(decode_step, steps)] == steps


def _filled(kind: Any) -> Any:
    """An instance whose every field differs from its default."""
    hints = typing.get_type_hints(kind)
    values = {field.name: _value(hints[field.name]) for field in dataclasses.fields(kind)}
    filled = kind(**values)
    assert all(getattr(filled, field.name) != field.default for field in dataclasses.fields(kind))
    return filled


def _value(hint: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        return _value(arguments[0])
    if origin is list:
        return [_value(arguments[0])]
    if origin is tuple:
        return tuple(_value(argument) for argument in arguments)
    if origin is dict:
        return {"é": _value(arguments[1])}
    if dataclasses.is_dataclass(hint):
        return _filled(hint)
    return {int: 7, str: "text", bytes: b"\x00\xff", bool: True}[hint]


def test_the_rust_engine_depends_on_nothing_that_waits_or_talks() -> None:
    """Purity, by what it is built of; clippy.toml beside it forbids clocks and the rest of it."""
    manifest = (ROOT / "bridge" / "engine" / "Cargo.toml").read_text(encoding="utf-8")
    section = manifest.partition("[dependencies]\n")[2].partition("\n\n")[0]
    assert set(re.findall(r"^([\w-]+)", section, re.MULTILINE)) == {
        "base64",
        "bytes",
        "indexmap",
        "rustc-hash",
        "serde",
        "serde_json",
    }
    assert "std::time::Instant" in (RUST.parent / "clippy.toml").read_text(encoding="utf-8")
