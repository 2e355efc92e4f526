"""Foreign text in messages: short, on one line, plain."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loom_testing.engine.text import quote, utf8_size
from tests.loom_testing.engine.world import World


def test_quotes_and_escapes() -> None:
    assert quote('a"b\\c') == '"a\\"b\\\\c"'
    assert quote("a\nb\x1b[0m") == '"a\\u{a}b\\u{1b}[0m"'
    assert quote("é") == '"\\u{e9}"'


def test_plain_text_is_shown_as_it_is(world: World) -> None:
    plain = " !#$%&'()*+,-./0123456789:;<=>?@AXYZ[]^_`axyz{|}~"
    assert quote(plain) == f'"{plain}"'
    answer = world.answer(world.invoke(plain + "\x7f"))
    assert answer is not None
    assert answer.error is not None
    assert answer.error.message == f'no agent offers capability "{plain}\\u{{7f}}"'


def test_long_text_is_cut() -> None:
    assert quote("x" * 80) == '"' + "x" * 80 + '"'
    assert quote("x" * 81) == '"' + "x" * 80 + '"...'


@given(st.text())
def test_is_always_printable_ascii_on_one_line(text: str) -> None:
    shown = quote(text)
    assert shown.isascii()
    assert shown.isprintable()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_size_is_that_on_the_wire(text: str) -> None:
    assert utf8_size(text) == len(text.encode())
