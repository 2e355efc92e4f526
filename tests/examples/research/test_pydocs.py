"""The documentation that Python carries: its size, and that it is told where it stands."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from examples.research import pydocs
from examples.research.corpus import Library
from examples.research.extract import quote
from examples.research.passage import Document, Passage
from examples.research.plan import plan
from examples.research.search import Index


def test_the_default_corpus_is_over_a_megabyte_and_answers_a_known_question():
    library = Library.load(None)
    assert library.characters > 1_000_000
    assert len(library.passages) > 5_000
    asked = plan("How do I run a subprocess with a timeout and capture its output?")
    index = Index(library.passages)
    statistics = index.statistics(asked.terms)
    best = index.search(asked.whole, statistics, 1)[0]
    assert best.passage.source == "subprocess.run"
    quoted = quote(best, asked.whole, statistics)
    assert quoted is not None
    assert "capture_output=True" in quoted.text


def test_a_docstring_is_cited_with_the_lines_it_stands_in():
    passage = _by_source("source:subprocess.py")["subprocess.run"]
    assert passage.signature.startswith("(*popenargs, input=None, capture_output=False")
    file, lines = passage.place.removeprefix("Lib/").split(", lines ")
    first, last = (int(number) for number in lines.split("-"))
    source = (Path(sysconfig.get_path("stdlib")) / file).read_text("utf-8").splitlines()[first - 1 : last]
    assert passage.text.splitlines()[0] in source[0]
    assert passage.text.splitlines()[-1].strip() in source[-1]


def test_a_thing_is_named_by_where_it_is_offered():
    assert "asyncio.wait_for" in _by_source("source:asyncio/tasks.py")
    assert "collections.deque" in _by_source("builtin:_collections")
    assert "struct.pack" in _by_source("builtin:_struct")
    assert "gc" in _by_source("builtin:gc")


def test_a_topic_is_cited_by_its_lines():
    passage = pydocs.read(Document("topic:with", 1))[0]
    assert passage.heading == 'The "with" statement'
    assert passage.place.startswith('help("with"), lines ')


@pytest.mark.parametrize("key", ["topic:nothing", "source:nothing.py", "builtin:nothing"])
def test_what_is_not_there_holds_no_passages(key: str):
    assert pydocs.read(Document(key, 1)) == []


def test_every_passage_has_a_key_of_its_own():
    passages = [passage for name in ("_csv", "builtins", "itertools") for passage in _read(f"builtin:{name}")]
    keys = [passage.key for passage in passages]
    assert len(keys) == len(set(keys))


def _read(key: str) -> list[Passage]:
    return pydocs.read(Document(key, 1))


def _by_source(key: str) -> dict[str, Passage]:
    return {passage.source: passage for passage in reversed(_read(key))}
