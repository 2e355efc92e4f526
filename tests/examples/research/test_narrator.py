"""Who tells a section may be replaced, and is checked."""

from __future__ import annotations

import pytest

from examples.research.narrator import Extractive, Statement, load


class Brief:
    name = "brief"

    async def tell(self, question: str, title: str, statements: list[Statement]) -> str:
        return f"{title} [{statements[0].number}]"


async def test_the_default_tells_quotes_with_name_source_and_example():
    statement = Statement(
        4, f"m.f({', '.join(f'argument_{n}=None' for n in range(20))})", "m.f", "It runs.", "f()"
    )
    text = await Extractive().tell("?", "In short", [statement])
    name, quoted, example = text.split("\n\n")
    assert name.startswith("**`m.f(argument_0=None, ")
    assert name.endswith(", …)`** [4]")
    assert quoted == "It runs. [4]"
    assert example == "```python\nf()\n```"


async def test_a_fenced_example_stays_as_it_is():
    text = await Extractive().tell("?", "In short", [Statement(1, "", "Guide", "So.", "```sh\nls\n```")])
    assert text == "**Guide** [1]\n\nSo. [1]\n\n```sh\nls\n```"


def test_no_name_is_the_default_and_a_name_is_its_factory():
    assert isinstance(load(""), Extractive)
    assert load(f"{__name__}:Brief").name == "brief"


@pytest.mark.parametrize(
    "place", ["nowhere.at_all:factory", "examples.research.narrator:nothing", "not a name"]
)
def test_a_narrator_that_is_not_there_is_named(place: str):
    with pytest.raises(ValueError, match="name it as package"):
        load(place)


def test_what_cannot_tell_is_no_narrator():
    with pytest.raises(TypeError, match="made a dict, which has no"):
        load("builtins:dict")
