"""The picture as SVG: well-formed, self-contained, in bounds, readable in both schemes."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from loom.v1 import stream_pb2
from loom_testing.transcript import Entry, Kind, Transcript, Way, draw
from loom_testing.transcript.svg import COLOURS, STYLE
from tests.loom_testing.transcript.story import STREAM, Story, order

NS = "{http://www.w3.org/2000/svg}"


def parsed(transcript: Transcript, **options) -> ET.Element:
    return ET.fromstring(draw(transcript, "svg", **options))


def busy() -> Transcript:
    story = order()
    story.recorder.note("a <note> & more", "prices")
    story.recorder.fault("dropped", "probe", way=Way.RECEIVED, rpc=STREAM, message=stream_pb2.ServerEvent())
    story.recorder.note("x" * 400)
    return story.transcript()


def test_it_is_one_picture_with_a_title_and_a_description():
    root = parsed(order().transcript())
    assert root.tag == f"{NS}svg"
    assert root.get("role") == "img"
    assert root.findtext(f"{NS}title") == "an order"
    assert "between the bridge and probe, shop:1, prices" in (root.findtext(f"{NS}desc") or "")


def test_every_row_says_all_of_itself_to_who_points_at_it():
    titles = [title.text for title in parsed(order().transcript()).iter(f"{NS}title")]
    assert 'probe: publish orders.new → 1 {id: 7, sku: "A-1"}' in titles


def test_it_needs_nothing_from_elsewhere():
    text = draw(busy(), "svg")
    assert not re.search(r"<script|href|@import|url\(|<image|<foreignObject", text)


def test_nothing_is_drawn_outside_of_it():
    root = parsed(busy(), full=True)
    _, _, width, height = map(float, (root.get("viewBox") or "").split())
    for element in root.iter():
        for name, most in (
            ("x", width),
            ("x1", width),
            ("x2", width),
            ("y", height),
            ("y1", height),
            ("y2", height),
        ):
            assert 0 <= float(element.get(name, 0)) <= most
        if element.tag == f"{NS}rect" and element.get("x"):
            assert float(element.get("x", 0)) + float(element.get("width", 0)) <= width


def test_texts_fit_between_the_lanes():
    root = parsed(busy(), full=True)
    _, _, width, _ = map(float, (root.get("viewBox") or "").split())
    for text in root.iter(f"{NS}text"):
        size = 6.7 if "small" in (text.get("class") or "") else 7.3
        room = len(text.text or "") * size / (2 if "mid" in (text.get("class") or "") else 1)
        x = float(text.get("x", 0))
        if "end" in (text.get("class") or "").split():
            assert x - room >= -size
        else:
            assert x + room <= width + size


def test_texts_cannot_break_out():
    story = Story()
    story.join("a")
    story.recorder.note('</text><script>alert("x")</script>', "a")
    assert parsed(story.transcript()) is not None
    assert "<script" not in draw(story.transcript(), "svg")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        ("ink", "paper"),
        ("ink", "box"),
        ("soft", "paper"),
        ("event", "paper"),
        ("call", "paper"),
        ("bad", "paper"),
        ("note", "notebox"),
        ("bad", "badbox"),
    ],
)
def test_colours_can_be_read(scheme: str, ink: str, ground: str):
    light, dark = STYLE.split("@media")
    colours = dict(re.findall(r"--loom-(\w+),(#\w{6})", light if scheme == "light" else dark))
    assert contrast(colours[ink], colours[ground]) >= 4.5


PAINTED = {"rect": ("fill",), "line": ("stroke",), "text": ("fill",), "path": ("fill", "stroke")}


def test_who_knows_no_custom_properties_sees_it_all_the_same():
    """Renderers outside of browsers go by attributes, and would draw nothing where a colour is `var(...)`."""
    root = parsed(busy(), full=True)
    light = {colours[0] for colours in COLOURS.values()}
    for element in root.iter():
        assert not any("var(" in value for value in element.attrib.values())
        names = PAINTED.get(element.tag.removeprefix(NS), ())
        if names:
            assert {element.get(name) for name in names} & light, ET.tostring(element)
    assert {rect.get("fill") for rect in root.iter(f"{NS}rect") if (rect.get("class") or "") == "box"} == {
        COLOURS["notebox"][0]
    }


def test_faults_have_their_own_ground():
    story = Story()
    story.join("a")
    story.recorder.fault("the bridge was killed")
    boxes = [rect for rect in parsed(story.transcript()).iter(f"{NS}rect") if rect.get("class") == "box"]
    assert [(box.get("fill"), box.get("stroke")) for box in boxes] == [
        (COLOURS["badbox"][0], COLOURS["bad"][0])
    ]


def test_custom_properties_are_kept_from_who_does_not_know_them():
    before, _, inside = STYLE.partition("@supports (color:var(--loom-ink)){")
    assert before.strip() == ""
    assert inside.count("{") + 1 == inside.count("}")  # all of it stands inside


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_labels_stand_at_the_agents_end_of_their_arrows():
    root = parsed(order().transcript())
    heads = {
        text.text: float(text.get("x", 0)) for text in root.iter(f"{NS}text") if text.get("class") == "name"
    }
    labels = {text.text: text for text in root.iter(f"{NS}text") if "label" in (text.get("class") or "")}
    asked, given = labels["publish orders.new → 1"], labels["call price.quote"]
    assert float(asked.get("x", 0)) == heads["probe"] + 10
    assert (float(given.get("x", 0)), given.get("class")) == (heads["prices"] - 10, "label halo end")


def test_a_head_is_as_wide_as_its_name_within_bounds():
    for name, width, shown in (
        ("a", "150", "a"),
        ("stub:prices.look_up", "162", "stub:prices.look_up"),
        ("x" * 40, "220", "x" * 27 + "…"),
    ):
        root = parsed(Transcript((Entry(name, Way.SENT, Kind.MESSAGE, "ping", "EventStream", 1, {}),)))
        (head, *_) = [rect for rect in root.iter(f"{NS}rect") if rect.get("class") == "head"]
        assert head.get("width") == width
        assert shown in [text.text for text in root.iter(f"{NS}text")]


def test_a_long_one_says_what_it_leaves_out():
    entries = [Entry("a", Way.BESIDE, Kind.NOTE, str(number)) for number in range(500)]
    texts = [text.text for text in parsed(Transcript(tuple(entries)), most_rows=30).iter(f"{NS}text")]
    assert "470 rows not shown" in texts


def test_nothing_at_all():
    assert parsed(Transcript()).get("width") == "460"
