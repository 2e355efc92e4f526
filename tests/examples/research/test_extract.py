"""Quotes: word for word, to the point, without repetition."""

from __future__ import annotations

from pathlib import Path

from examples.research.corpus import Library
from examples.research.extract import LONGEST_EXAMPLE, Quote, holds, quote, select
from examples.research.passage import Passage
from examples.research.plan import plan
from examples.research.search import Hit, Index


def passage(source: str, text: str) -> Passage:
    return Passage(f"source:{source}#1", source, "", f"Lib/{source}, line 1", "", text, "docstring")


def quoted(text: str, question: str) -> Quote | None:
    index = Index([passage("m.x", text)])
    asked = plan(question).whole
    statistics = index.statistics(list(asked.weights))
    return quote(Hit(passage("m.x", text), 1.0, 1.0), asked, statistics)


def made(source: str, text: str, score: float, in_context: float = 1.0) -> Quote:
    return Quote(passage(source, text), (text,), "", score, 1.0, in_context)


DOCSTRING = """\
Run a command and return its result.

The command is a list of words. It is started in the working directory, and this call waits until it has
come to its end, however long that takes.

If timeout is given, and the command takes too long, it is killed and an error is raised.

>>> run(["sleep", "9"], timeout=1)
Traceback (most recent call last):

Changed in version 3.3: The timeout was added to the command."""


def test_a_quote_begins_with_what_the_thing_is_and_goes_to_the_point():
    found = quoted(DOCSTRING, "command with a timeout")
    assert found is not None
    assert found.runs == (
        "Run a command and return its result.",
        "If timeout is given, and the command takes too long, it is killed and an error is raised.",
    )
    assert found.example.startswith('>>> run(["sleep", "9"], timeout=1)')


def test_a_quote_is_held_by_its_passage_word_for_word_and_by_no_other():
    found = quoted(DOCSTRING, "command with a timeout")
    assert found is not None
    assert holds(DOCSTRING, found)
    assert holds(DOCSTRING.replace("\n", "\n    "), found)
    assert not holds(DOCSTRING.replace("killed", "stopped"), found)
    assert not holds(DOCSTRING.replace('"9"', '"8"'), found)


def test_asides_and_code_alone_are_not_quoted():
    assert quoted("See also: the timeout of other commands.", "timeout of commands") is None
    assert quoted(">>> timeout(command)\n3", "timeout of commands") is None


def test_a_list_keeps_its_items_apart():
    found = quoted(
        "Attributes:\n    timeout: how long the command may take.\n    command: a list.", "timeout command"
    )
    assert found is not None
    assert found.runs[0].split("\n") == [
        "Attributes:",
        "timeout: how long the command may take.",
        "command: a list.",
    ]


def test_a_long_example_is_cut_before_a_prompt():
    example = "\n".join(f">>> timeout({number})\n{number}" for number in range(20))
    found = quoted(f"The timeout of a command, which is told as a number of seconds.\n\n{example}", "timeout")
    assert found is not None
    lines = found.example.splitlines()
    assert 2 <= len(lines) <= LONGEST_EXAMPLE
    assert not lines[-1].startswith(">>>")


def test_what_was_said_is_not_said_again():
    one = made("a.x", "The lid of the kiln is opened when it has cooled down.", 3.0)
    same = made("b.y", "The lid of the kiln is opened when it has cooled down.", 2.9)
    other = made("a.z", "Fumes are drawn out of the room by a strong fan.", 2.0)
    chosen = select([("In short", [one, same, other]), ("Lid", [same])])
    assert [quote.passage.source for quote in chosen[0].quotes] == ["a.x", "a.z"]
    assert chosen[1].quotes == ()


def test_an_aspect_whose_passage_was_quoted_points_to_it():
    one = made("a.x", "The lid of the kiln is opened when it has cooled down.", 3.0)
    chosen = select([("In short", [one]), ("Lid", [one])])
    assert chosen[1].quotes == ()
    assert chosen[1].repeated == (one,)


def test_poor_quotes_and_those_from_elsewhere_are_left_out():
    good = made("a.x", "The lid of the kiln is opened when it has cooled down.", 3.0)
    poor = made("a.y", "A brush for the glaze hangs on the wall.", 0.5)
    part = made("b.z", "Lids of pots are thrown on the wheel.", 3.0, in_context=0.2)
    home = made("a.w", "Hinges of heavy lids want oil every year.", 2.0, in_context=0.2)
    chosen = select([("In short", [good, poor]), ("Lid", [part, home])])
    assert [quote.passage.source for quote in chosen[0].quotes] == ["a.x"]
    assert [quote.passage.source for quote in chosen[1].quotes] == ["a.w"]


def test_of_many_the_best_few_are_told_and_the_rest_is_further_reading():
    texts = (
        "Red clay shrinks.",
        "Blue glaze runs.",
        "Old kilns crack.",
        "Wet sand holds.",
        "Dry wood burns.",
    )
    quotes = [made(f"m.{number}", text, 2.0 - number / 10) for number, text in enumerate(texts)]
    chosen = select([("In short", quotes)])[0]
    assert [quote.passage.source for quote in chosen.quotes] == ["m.0", "m.1", "m.2"]
    assert [quote.passage.source for quote in chosen.more] == ["m.3", "m.4"]


def test_the_manual_answers_with_the_sentence_one_would_point_at(manual: Path):
    index = Index(Library.load(manual).passages)
    asked = plan("Where do pinholes come from?").whole
    statistics = index.statistics(list(asked.weights))
    best = quote(index.search(asked, statistics, 1)[0], asked, statistics)
    assert best is not None
    assert best.text.startswith("Pinholes in a glaze come from gas that leaves the clay late.")
