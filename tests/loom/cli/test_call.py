"""`loom call` against a bridge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.loom.cli.conftest import Loom


@pytest.mark.parametrize(
    ("args", "stdout"),
    [
        (["add", "a=1", "b=41"], "42\n"),
        (["add", '{"a": 1}'], "2\n"),
        (["add", "a=1", "--version", "1.0"], "2\n"),
        (["shout", "text=hello"], "HELLO\n"),
        (["shout", "text=12345"], "12345\n"),
    ],
)
def test_a_call_prints_its_answer(at: Loom, args: list[str], stdout: str) -> None:
    done = at("call", *args)
    assert (done.exit_code, done.stdout, done.stderr) == (0, stdout, "")


def test_a_call_as_json(at: Loom) -> None:
    told = json.loads(at("call", "add", "a=1", "--json").stdout)
    assert (told["ok"], told["output"]) == (True, 2)
    assert told["took_ms"] > 0


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["nothing"], 4, "start its agent; `loom capabilities` lists what can be called"),
        (["ad", "a=1"], 4, "did you mean 'add'?"),
        (["add", "a=1", "--version", "2.0"], 4, "it is offered as version 1.0"),
        (["add", "a=x"], 2, "field 'a'"),
        (["add", '{"b": 1}'], 2, "; it takes: a b=1"),
        (["broken", "a=1"], 2, "; it takes: nothing"),
        (["broken"], 1, "RuntimeError"),
        (["slow", "--timeout", "0.2"], 5, "slow"),
        (["a..b"], 2, "'a..b' is no capability's name"),
        (["*"], 2, "'*' is no capability's name"),
        (["add", "{"], 2, "is no JSON"),
        (["add", "a=1", "--timeout", "0"], 2, "0.0 is not in the range"),
        (["add", "a=1", "--timeout", "-1"], 2, "-1.0 is not in the range"),
        (["add", "a=1", "--timeout", "inf"], 2, "inf is not in the range"),
        (["add", "a=1", "--timeout", "nan"], 2, "'nan' is not a number of seconds"),
        (["add", "a=1", "--timeout", "soon"], 2, "'soon' is not a valid float range"),
        (["add", "--bridge", "127.0.0.1:1"], 3, "no bridge answers at 127.0.0.1:1"),
        (["add", "--namespace", "other", "a=1"], 4, "add"),
    ],
)
def test_a_call_that_fails_is_one_line_and_an_exit_code(
    at: Loom, args: list[str], code: int, says: str
) -> None:
    done = at("call", *args)
    assert (done.exit_code, done.stdout) == (code, ""), done.output
    assert done.stderr.startswith("error: ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_failure_is_data_where_json_is_wanted(at: Loom) -> None:
    done = at("call", "add", "a=x", "--json")
    assert (done.exit_code, done.stderr) == (2, "")
    told = json.loads(done.stdout)
    assert told["ok"] is False
    assert told["error"]["code"] == "INVALID_INPUT"
    assert list(told["error"]["details"]) == ["a"]
