"""Markdown: the same in short, with nothing in it that could break out of its place."""

from __future__ import annotations

from loom_conformance.report import markdown
from tests.conformance.made import bad, clause, concluded, failed, good


def test_a_good_run_is_short():
    drawn = markdown.draw(good())
    assert drawn.startswith(
        "## ✅ my-bridge 2.0 conforms to the Loom bridge protocol\n\n**full 1/1**: 1 passed.\n"
    )
    assert "| ✅ | PUB: Publish and deliver | 1/1 |  |  |  |  |" in drawn
    assert "mended" not in drawn


def test_a_bad_run_says_what_is_to_be_mended():
    drawn = markdown.draw(bad())
    for part in (
        "## ❌ my-bridge 2.0 does not conform",
        "**PUB-1.1** (MUST, failed): What PUB-1.1 says, with `code` in it.",
        "- tried: What twice tries.",
        "  - got: <code>2 &lt;events&gt;</code>",
        "<details><summary>What crossed the wire</summary>",
        "orders.new",
        "  - error: KeyError: 'x'",
        "### Why the run fails besides",
        "demands drain, which the bridge does not declare",
        "- **PUB-4.1**: It is old. ([followed up](https://bugs.example/1))",
        "<sub>Loom conformance 0.1.0, protocol 1.0; target fake at 127.0.0.1:1;",
    ):
        assert part in drawn


def test_what_a_bridge_says_stays_text():
    evil = failed("a", what="x | <img>", got="`| </code><b>", message="*bold* _it_ [a](b)")
    drawn = markdown.draw(concluded([clause(text="One ` tick | here.")], [evil]))
    assert "looked at: x \\| \\<img\\>" in drawn
    assert "got: <code>`&#124; &lt;/code&gt;&lt;b&gt;</code>" in drawn
    assert "One \\` tick \\| here." in drawn
