"""Licences of crates, as they are written."""

from __future__ import annotations

import pytest

from scripts.check_crates import allowed, problems


@pytest.mark.parametrize(
    ("licence", "may"),
    [
        ("MIT", True),
        ("MIT OR Apache-2.0", True),
        ("MIT/Apache-2.0", True),
        ("(MIT OR GPL-3.0-only) AND Unicode-3.0", True),
        ("Apache-2.0 WITH LLVM-exception OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-3.0-or-later", False),
        ("", False),
    ],
)
def test_an_expression_is_understood(licence, may):
    assert allowed(licence) is may


def test_what_is_wrong_is_one_line_each():
    fine: dict[str, str | None] = {"name": "a", "version": "1", "source": "registry+x", "license": "MIT"}
    ours = {"name": "loom-engine", "version": "1", "source": None, "license": "Apache-2.0"}
    git: dict[str, str | None] = {
        "name": "b",
        "version": "2",
        "source": "git+https://example.org",
        "license": "MIT",
    }
    bare = {"name": "c", "version": "3", "source": "registry+x", "license": None}
    assert problems([fine, ours, git, bare]) == [
        "b 2 comes from git+https://example.org: take a released version",
        "c 3 is under no licence that it names: not one of ours",
    ]
