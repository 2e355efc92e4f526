"""The log for people."""

from __future__ import annotations

import io
import logging
import re

import pytest

from loom_testing.log import LEVELS, setup


@pytest.fixture
def stream(reset_logging):
    """Where the log of a test goes."""
    return io.StringIO()


def test_a_line_has_a_time_a_level_and_the_text(stream):
    setup("info", stream)
    logging.getLogger("loom_testing.bridge").info("%s joined", "a")
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} info     a joined\n", stream.getvalue())


@pytest.mark.parametrize("level", LEVELS)
def test_the_level_is_kept(stream, level):
    setup(level, stream)
    for each in LEVELS:
        logging.getLogger("loom_testing.bridge").log(getattr(logging, each.upper()), "a line")
    shown = [line.split()[1] for line in stream.getvalue().splitlines()]
    assert shown == list(LEVELS[LEVELS.index(level) :])


def test_others_are_heard_only_when_something_is_wrong(stream):
    setup("debug", stream)
    logging.getLogger("asyncio").info("chatter")
    logging.getLogger("asyncio").error("trouble")
    assert "chatter" not in stream.getvalue()
    assert "trouble" in stream.getvalue()


def test_no_colours_where_no_terminal_is(stream):
    setup("info", stream)
    logging.getLogger("loom_testing").error("x")
    assert "\x1b" not in stream.getvalue()


def test_colours_on_a_terminal(stream):
    stream.isatty = lambda: True
    setup("info", stream)
    logging.getLogger("loom_testing").error("trouble")
    logging.getLogger("loom_testing").info("plain")
    first, second = stream.getvalue().splitlines()
    assert first.startswith("\x1b[31m")
    assert first.endswith("\x1b[0m")
    assert "\x1b" not in second
