"""The drawing of state machines: every state once, every transition, nothing outside the picture."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from docs._ext.drawing import draw
from loom_testing.engine import states

LINE = [("A", "go", "B"), ("B", "go", "C"), ("A", "jump", "C"), ("B", "stay", "B")]


def parsed(edges: list[tuple[str, str, str]]) -> ET.Element:
    svg = ET.fromstring(draw("thing", edges)).find("svg")
    assert svg is not None
    return svg


def names(svg: ET.Element) -> dict[str, tuple[float, float]]:
    """The states' boxes, by name: where each stands."""
    return {
        text.text or "": (float(text.get("x", "0")), float(text.get("y", "0")))
        for text in svg.iter("text")
        if text.get("class") == "name"
    }


@pytest.mark.parametrize(
    "table", [states.SESSION, states.STREAM, states.CALL], ids=["session", "stream", "call"]
)
def test_every_state_and_every_transition_of_the_engine_is_drawn(table):
    edges = [(str(state), str(trigger), str(after)) for (state, trigger), after in table.items()]
    svg = parsed(edges)
    assert set(names(svg)) == {state for source, _, target in edges for state in (source, target)}
    lines = [path for path in svg.iter("path") if path.get("class") == "edge"]
    assert len(lines) == len({(source, target) for source, _, target in edges})
    for source, trigger, target in edges:
        assert f"{source} on {trigger} to {target}" in svg.get("aria-label", "")


def test_states_stand_in_the_order_they_are_reached():
    places = names(parsed(LINE))
    assert places["A"][0] < places["B"][0] < places["C"][0]


def test_a_line_that_skips_a_state_passes_below_it():
    svg = parsed(LINE)
    height = names(svg)["B"][1]
    jump = next(text for text in svg.iter("text") if text.text == "jump")
    assert float(jump.get("y", "0")) > height


def test_a_line_that_leads_back_is_drawn_below_everything():
    svg = parsed([*LINE, ("B", "again", "A")])
    again = next(text for text in svg.iter("text") if text.text == "again")
    assert float(again.get("y", "0")) > max(y for _, y in names(svg).values())
    assert set(names(svg)) == {"A", "B", "C"}


def test_nothing_reaches_out_of_the_picture():
    svg = parsed([*LINE, ("B", "again", "A"), ("A", "a rather long trigger", "A")])
    _, _, width, height = map(float, svg.get("viewBox", "").split())
    for path in svg.iter("path"):
        if path.get("class") != "edge":
            continue
        for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", path.get("d", "")):
            assert 0 <= float(x) <= width
            assert 0 <= float(y) <= height
    for text in svg.iter("text"):
        assert 0 < float(text.get("y", "0")) <= height


def test_two_triggers_between_the_same_states_share_a_line():
    svg = parsed([("A", "go", "B"), ("A", "run", "B")])
    assert next(text.text for text in svg.iter("text")) == "go, run"


def test_names_are_escaped():
    assert "<b>" not in draw("thing", [("<b>", "&", "C")])
