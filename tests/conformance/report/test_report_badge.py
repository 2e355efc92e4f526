"""The badge says how much was passed, in the colour of the verdict."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from loom_conformance.report import badge
from tests.conformance.made import bad, clause, concluded, failed, good, known


@pytest.mark.parametrize(
    ("result", "says", "colour"),
    [
        (good(), "full 1/1", badge.GREEN),
        (bad(), "full 1/5", badge.RED),
        (concluded([clause()], [failed("a")], known=known("PUB-1.1")), "full 0/1", badge.YELLOW),
        (concluded([clause()], []), "not tested", badge.GREY),
    ],
    ids=["green", "red", "yellow", "grey"],
)
def test_a_badge(result, says: str, colour: str):
    drawn = ET.fromstring(badge.draw(result))
    texts = ["".join(text.itertext()) for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["Loom conformance", says]
    fills = [each.get("fill") for each in drawn.iter("{http://www.w3.org/2000/svg}rect")]
    assert colour in fills
    assert says in drawn.get("aria-label", "")
