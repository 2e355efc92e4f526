"""Capabilities with set answers."""

from __future__ import annotations

import pytest

from loom.errors import CapabilityError, Overloaded
from loom_testing.harness.scripted import ScriptedCapability


async def answered(answer, payload: bytes = b'{"text": "abc"}') -> bytes:
    return await ScriptedCapability("llm.complete", answer).run(payload)


async def both(text: str) -> str:
    return text + text


@pytest.mark.parametrize(
    ("answer", "output"),
    [
        ({"a": 1}, b'{"a":1}'),
        ("text", b'"text"'),
        (None, b""),
        (b"\xff", b"\xff"),
        (lambda text: text.upper(), b'"ABC"'),
        (both, b'"abcabc"'),
        (lambda **fields: fields, b'{"text":"abc"}'),
    ],
)
async def test_an_answer(answer, output):
    assert await answered(answer) == output


async def test_a_function_gets_what_is_no_object_as_it_is():
    assert await answered(lambda items: len(items), b"[1, 2]") == b"2"
    assert await answered(lambda: "none", b"") == b'"none"'


async def test_errors_of_looms_own_go_out_as_they_are():
    with pytest.raises(Overloaded, match="come back later"):
        await answered(Overloaded("come back later"))

    def refuse(text: str) -> None:
        raise Overloaded("come back later")

    with pytest.raises(Overloaded):
        await answered(refuse)


async def test_every_other_exception_is_a_capability_error():
    with pytest.raises(CapabilityError, match=r"llm\.complete raised ValueError: no"):
        await answered(ValueError("no"))
    with pytest.raises(CapabilityError, match="raised TypeError"):
        await answered(lambda other: other)


def test_its_descriptor_says_what_it_is():
    capability = ScriptedCapability("llm.complete", 1, version="2")
    assert capability.label == "llm.complete@2"
    assert capability.descriptor().metadata["description"] == "scripted by a test"
