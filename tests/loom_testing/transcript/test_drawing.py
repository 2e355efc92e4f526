"""Drawing in each format."""

from __future__ import annotations

import pytest

from loom_testing.transcript import FORMATS, decode, draw, encode
from tests.loom_testing.transcript.story import order


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_draws_something_else(kind: str):
    drawn = draw(order().transcript(), kind)
    assert drawn.endswith("\n")
    assert drawn not in [draw(order().transcript(), other) for other in FORMATS if other != kind]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_draws_as_its_recording(kind: str):
    transcript = order().transcript()
    assert draw(decode(encode(transcript)), kind) == draw(transcript, kind)


def test_an_unknown_format():
    with pytest.raises(ValueError, match="there is no format 'png': choose text, mermaid, svg"):
        draw(order().transcript(), "png")
