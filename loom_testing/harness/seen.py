"""The calls that a probe or a stub was given, and looking for some of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from loom_testing.harness.expected import UNSET, Misfit, differences, plain

__all__ = ["Calls", "SeenCall"]


@dataclass(frozen=True, slots=True)
class SeenCall:
    """A call of a capability that a probe offers, as it arrived.

    Attributes:
        capability: its name.
        arguments: the JSON object of the arguments; bytes where it is none.
        caller: the agent that called; empty when anonymous.
    """

    capability: str
    arguments: Any
    caller: str

    def misfits(self, arguments: Any, caller: str | None = None) -> list[Misfit]:
        """What about the call is not as expected; nothing where it fits.

        Args:
            arguments: what they hold: a mapping asks for at least its entries; `UNSET` for any.
            caller: who called; None for anyone.
        """
        found = [] if arguments is UNSET else differences(plain(arguments), self.arguments, "arguments")
        if caller is not None and caller != self.caller:
            found.append(Misfit("caller", caller, self.caller))
        return found


class Calls(list[SeenCall]):
    """Calls in the order of their arrival.

    assert [call.arguments for call in probe.calls.of("llm.complete")] == [{"prompt": "hello"}]
    """

    def of(self, capability: str) -> Calls:
        """Those of one capability."""
        return Calls(call for call in self if call.capability == capability)

    def by(self, caller: str) -> Calls:
        """Those of one agent; empty for those that were anonymous."""
        return Calls(call for call in self if call.caller == caller)

    def having(self, **arguments: Any) -> Calls:
        """Those whose arguments hold at least these; matchers such as `unittest.mock.ANY` work inside."""
        return Calls(call for call in self if not call.misfits(arguments))
