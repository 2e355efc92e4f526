"""Words and sentences."""

from __future__ import annotations

import pytest

from examples.research.text import heading_of, is_code, is_item, paragraphs, sentences, terms


def test_words_are_stemmed_and_small_words_dropped():
    assert terms("The runners are running through it") == ["runner", "run"]


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("capture_output", ["capture_output", "captur", "output"]),
        ("ThreadPoolExecutor", ["threadpoolexecutor", "thread", "pool", "executor"]),
        ("XMLParser", ["xmlparser", "xml", "parser"]),
        ("__init__", ["init"]),
        ("3.11", ["3.11"]),
    ],
)
def test_an_identifier_counts_as_itself_and_as_its_parts(word: str, parts: list[str]):
    assert terms(word) == parts


def test_a_small_word_in_marks_is_a_word_of_the_language_described():
    assert '"with"' in terms('The "with" statement')
    assert '"with"' not in terms("coffee with milk")


def test_sentences_end_where_they_should():
    assert sentences("Use e.g. Popen. It works.\nSee 3.11 for more! Does it?") == [
        "Use e.g. Popen.",
        "It works.",
        "See 3.11 for more!",
        "Does it?",
    ]


def test_each_item_of_a_list_begins_a_sentence():
    found = sentences("Args:\n    max_workers: The most threads\n        that run.\n    name: A prefix.")
    assert found == ["Args:", "max_workers: The most threads that run.", "name: A prefix."]
    assert [is_item(one) for one in found] == [False, True, True]


def test_paragraphs_know_their_lines_and_keep_fenced_code_whole():
    text = "One.\n\n# Title\nTwo\nlines.\n\n```\na\n\nb\n```\nThree."
    assert paragraphs(text) == [
        (0, "One."),
        (2, "# Title"),
        (3, "Two\nlines."),
        (6, "```\na\n\nb\n```"),
        (11, "Three."),
    ]


@pytest.mark.parametrize(
    ("paragraph", "heading"),
    [("# Title #", "Title"), ("Title\n=====", "Title"), ("Text", ""), ("=====\n=====", ""), ("a\nb", "")],
)
def test_headings_are_told_from_text(paragraph: str, heading: str):
    assert heading_of(paragraph) == heading


@pytest.mark.parametrize(
    ("paragraph", "code"),
    [
        (">>> 1 + 1\n2", True),
        ("   with open(name) as file:\n       file.read()", True),
        ('   with_stmt ::= "with" suite', True),
        ("+----+   +----+\n| a  | =>| b  |\n+----+   +----+", True),
        ("   Note that the statement is executed as soon as it is reached.", False),
        ("Plain text.", False),
        ("import os\nfor name in os.listdir():\n    print(name)", True),
        ("from the beginning of the file to its end", False),
        ("   ", False),
    ],
)
def test_code_is_told_from_indented_prose(paragraph: str, code: bool):
    assert is_code(paragraph) is code
