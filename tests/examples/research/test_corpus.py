"""Documents, shares, passages."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.research import corpus
from examples.research.corpus import Library
from examples.research.passage import Document


def test_a_folder_is_cut_into_passages_with_their_places(manual: Path):
    library = Library.load(manual)
    assert library.documents == 4
    places = {passage.place: passage for passage in library.passages}
    cooling = places["firing.md, lines 8-12"]
    assert cooling.heading == "Cooling"
    assert cooling.text.startswith("Let the kiln cool to 80 degrees")
    lines = (manual / "firing.md").read_text("utf-8").splitlines()
    assert lines[7].startswith("Let the kiln cool")
    assert lines[11] == "```"


def test_every_document_is_in_exactly_one_share():
    found = [Document(f"file:{number}", size) for number, size in enumerate([9, 1, 4, 4, 2, 7, 3])]
    shares = [corpus.share(found, index, 3) for index in (1, 2, 3)]
    assert sorted((one for share in shares for one in share), key=lambda one: one.key) == found
    assert [sum(one.size for one in share) for share in shares] == [10, 10, 10]


@pytest.mark.parametrize(("index", "count"), [(0, 2), (3, 2), (1, 0)])
def test_a_share_that_does_not_exist_is_refused(index: int, count: int):
    with pytest.raises(ValueError, match="does not exist"):
        corpus.share([], index, count)


def test_a_passage_is_found_again_by_its_key_and_nothing_else_is_opened(manual: Path):
    (manual.parent / "secret.txt").write_text("secret")
    passage = Library.load(manual).passages[0]
    assert corpus.find(passage.key, manual) == passage
    assert corpus.find(f"{passage.key}9", manual) is None
    assert corpus.find("file:../secret.txt#1", manual) is None
    assert corpus.find("source:os.py#1", manual) is None


def test_hidden_files_links_and_data_are_left_out(manual: Path):
    (manual / ".hidden.md").write_text("hidden")
    (manual / "data.bin").write_bytes(b"\0")
    (manual / "empty.md").write_text("")
    (manual / "link.md").symlink_to(manual / "glaze.md")
    (manual / "latin.txt").write_bytes(b"Glasur f\xfcr Ton.")
    keys = [document.key for document in corpus.documents(manual)]
    assert keys == [
        "file:firing.md",
        "file:glaze.md",
        "file:latin.txt",
        "file:safety/power.rst",
        "file:safety/vents.txt",
    ]
    assert "Glasur" in corpus.read(Document("file:latin.txt", 1), manual)[0].text
    assert corpus.read(Document("file:gone.md", 1), manual) == []


def test_a_folder_without_text_says_what_it_needs(tmp_path: Path):
    with pytest.raises(ValueError, match=r"holds no text; it needs \.markdown, \.md"):
        corpus.documents(tmp_path)
    with pytest.raises(ValueError, match="is not a folder"):
        corpus.documents(tmp_path / "nowhere")


def test_the_same_text_is_kept_once(manual: Path):
    (manual / "copy.md").write_bytes((manual / "glaze.md").read_bytes())
    texts = [passage.text for passage in Library.load(manual).passages]
    assert len(texts) == len(set(texts))
