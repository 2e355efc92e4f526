"""How autodoc is made to read docstrings that are written as plain text."""

from __future__ import annotations

from docs._ext.house_docstrings import translate


def translated(text: str) -> str:
    return "\n".join(translate(text.splitlines()))


def test_an_indented_block_is_shown_as_it_is():
    assert translated("Words.\n\n    a tree\n    └── leaf\n\nMore.") == (
        "Words.\n\n::\n\n    a tree\n    └── leaf\n\nMore."
    )


def test_a_block_may_have_empty_lines():
    assert translated("Words.\n\n    one\n\n    two\n\nMore.\n\n    three").count("::") == 2


def test_a_fence_is_code():
    lines = translate(["Like this:", "", "```python", "x = 1", "```", "", "Done."])
    assert ".. code-block:: python" in lines
    assert "   x = 1" in lines
    assert not any("```" in line for line in lines)


def test_sections_and_lists_stay_as_they_are():
    section = "Words.\n\nArgs:\n    one: first.\n        and more.\n\n    two: second."
    items = "* an item\n\n  of two parts"
    assert translated(f"{section}\n\n{items}") == f"{section}\n\n{items}"


def test_single_backticks_are_code():
    assert translated("The id, as `host:port`; not :func:`this` nor ``that``.") == (
        "The id, as ``host:port``; not :func:`this` nor ``that``."
    )
