"""The small parts of the HTML page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loom_conformance.result import Outcome

__all__ = ["chip", "kind", "milliseconds", "prose"]


def prose(text: str) -> str:
    """Text as HTML; what stands between backticks is code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # an odd backtick begins no code
        return escape(text)
    return "".join(
        f"<code>{escape(part)}</code>" if number % 2 else escape(part) for number, part in enumerate(parts)
    )


def kind(outcome: Outcome) -> str:
    """The outcome as the name of a style."""
    return outcome.value.replace(" ", "-")


def chip(outcome: Outcome) -> str:
    """The outcome as a small label."""
    return f'<span class="chip {kind(outcome)}">{outcome.value}</span>'


def milliseconds(seconds: float) -> str:
    """A short time."""
    return f"{seconds * 1000:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"
