"""What is public: named once, documented, and there."""

from __future__ import annotations

import inspect

import pytest

import loom


def test_every_public_name_is_there_and_documented():
    undocumented = []
    for name in loom.__all__:
        thing = getattr(loom, name)
        if (inspect.isclass(thing) or inspect.isfunction(thing)) and not inspect.getdoc(thing):
            undocumented.append(name)
    assert undocumented == []


def test_public_names_are_listed_once():
    assert len(loom.__all__) == len(set(loom.__all__))
    assert set(loom.__all__) <= set(dir(loom))


def test_every_public_class_documents_its_public_methods():
    undocumented = []
    for name in loom.__all__:
        thing = getattr(loom, name)
        if not inspect.isclass(thing):
            continue
        for attribute, value in vars(thing).items():
            function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
            if attribute.startswith("_") or not inspect.isfunction(function):
                continue
            if not inspect.getdoc(getattr(thing, attribute)):
                undocumented.append(f"{name}.{attribute}")
    assert undocumented == []


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        _ = loom.nothing_of_this_name
