"""Projects of users, made for one test of the plugin, and run by a pytest of their own."""

from __future__ import annotations

import pytest

__all__ = ["AGENT", "INI", "Project"]

INI = """
[pytest]
addopts = --strict-markers --strict-config
filterwarnings = error
"""

AGENT = """
from loom import Agent, Context

agent = Agent("greeter")


@agent.on("visitor.arrived")
async def greet(ctx: Context, payload: dict) -> None:
    await ctx.emit("visitor.greeted", {"text": f"Hello, {payload['name']}!"})


@agent.capability("text.length")
def length(text: str) -> int:
    return len(text)
"""


class Project:
    """A folder with an agent and tests.

    Args:
        pytester: pytest's own.
        ini: what its ini file says besides `INI`.
        tests: its test files by name.
    """

    def __init__(self, pytester: pytest.Pytester, ini: str = "", **tests: str) -> None:
        self.pytester = pytester
        pytester.makeini(INI + ini)
        pytester.makepyfile(greeter=AGENT, **tests)

    def run(self, *arguments: str) -> pytest.RunResult:
        """Runs its tests in a process of their own, as at a terminal: in CI pytest sums up at more length."""
        with pytest.MonkeyPatch.context() as patch:
            for name in ("CI", "BUILD_NUMBER"):
                patch.delenv(name, raising=False)
            return self.pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)
