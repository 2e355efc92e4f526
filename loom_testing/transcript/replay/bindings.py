"""Bindings: what the placeholders of a recording stand for in the run that replays it.

What an agent under test sends is compared with the recording (`misfits`): a placeholder fits any value the
first time, and only that value from then on. What others sent is sent again (`value`): a placeholder that
stands for nothing yet gets a fresh value of its kind.
"""

from __future__ import annotations

import re
import secrets
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from loom_testing.transcript.placeholders import unescape

__all__ = ["UNSET", "Bindings", "Misfit", "without"]

_PLACEHOLDER = re.compile(r"(?<!\$)\$\{([a-z_]+)(?::([a-z0-9_.]+))?\}")
LOOSE = frozenset({"redacted", "time", "timeout", "bridge"})
"""Kinds that fit any value each time: nobody can know it, or it is another clock's."""

DEFAULT_TIMEOUT_MS = 30_000
SECRET = "redacted"  # noqa: S105 - what is sent in place of a secret that nobody wrote down


class _Unset:
    def __repr__(self) -> str:
        return "nothing"


UNSET = _Unset()


@dataclass(frozen=True, slots=True)
class Misfit:
    """One place where what came differs from what was recorded.

    Attributes:
        path: where, such as `event.payload.total`.
        recorded: what was recorded; UNSET where there was nothing.
        came: what came; UNSET where there is nothing.
    """

    path: str
    recorded: Any
    came: Any


class Bindings:
    """The placeholders of one recording, and what each stands for now."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._names: dict[tuple[str, Any], str] = {}

    # Comparing.

    def misfits(self, recorded: Any, came: Any) -> list[Misfit]:
        """Where the two differ. Where they do not, what the placeholders stand for is kept."""
        attempt = _Attempt(self._values, self._names)
        attempt.compare("", recorded, came)
        if not attempt.misfits:
            self._keep(attempt.found)
        return attempt.misfits

    def learn(self, recorded: Any, came: Any) -> None:
        """Keeps what the placeholders stand for, as far as the two fit; differences do not matter."""
        attempt = _Attempt(self._values, self._names)
        attempt.compare("", recorded, came)
        self._keep(attempt.found)

    def _keep(self, found: dict[str, Any]) -> None:
        for name, value in found.items():
            self._values[name] = value
            self._names[_kind(name), value] = name

    # Sending.

    def value(self, recorded: Any) -> Any:
        """The same JSON with values in place of placeholders."""
        if isinstance(recorded, dict):
            return {self.text(name): self.value(item) for name, item in recorded.items()}
        if isinstance(recorded, list):
            return [self.value(item) for item in recorded]
        if not isinstance(recorded, str):
            return recorded
        whole = _PLACEHOLDER.fullmatch(recorded)
        return self._bound(whole[1], whole[2]) if whole else self.text(recorded)

    def text(self, recorded: str) -> str:
        """A text with values in place of placeholders."""
        if "${" not in recorded:
            return recorded
        return unescape(_PLACEHOLDER.sub(lambda match: str(self._bound(match[1], match[2])), recorded))

    def bind(self, name: str, value: Any) -> None:
        """Says what a placeholder, such as `epoch:1`, stands for."""
        self._keep({name: value})

    def known_from(self, other: Bindings) -> None:
        """What stands for nothing yet stands for what it does there."""
        self._keep({name: value for name, value in other._values.items() if name not in self._values})

    def _bound(self, kind: str, number: str | None) -> Any:
        if kind == "time":
            return _now((number or "").partition(".")[2])
        if kind == "timeout":
            return DEFAULT_TIMEOUT_MS
        if kind == "redacted":
            return SECRET
        name = f"{kind}:{number}"
        if name not in self._values:
            self._keep({name: _fresh(kind)})
        return self._values[name]


class _Attempt:
    """One comparison: what it finds is kept only if its owner wants to."""

    def __init__(self, values: dict[str, Any], names: dict[tuple[str, Any], str]) -> None:
        self._values = values
        self._names = names
        self.found: dict[str, Any] = {}
        self._found_names: dict[tuple[str, Any], str] = {}
        self.misfits: list[Misfit] = []

    def compare(self, path: str, recorded: Any, came: Any) -> None:
        if isinstance(recorded, str) and "${" in recorded:
            if not self._text_fits(recorded, came):
                self._miss(path, recorded, came)
        elif isinstance(recorded, dict) and isinstance(came, dict):
            self._compare_objects(path, recorded, came)
        elif isinstance(recorded, list) and isinstance(came, list):
            for number, (one, other) in enumerate(zip_longest(recorded, came, fillvalue=UNSET)):
                self.compare(f"{path}[{number}]", one, other)
        elif type(recorded) is not type(came) or recorded != came:
            self._miss(path, recorded, came)

    def _compare_objects(self, path: str, recorded: dict[str, Any], came: dict[str, Any]) -> None:
        left = dict(came)
        for name, item in recorded.items():
            key = name if name in left else self._key(name, left)
            where = f"{path}.{name}" if path else name
            if key is None:
                self._miss(where, item, UNSET)
            else:
                self.compare(where, item, left.pop(key))
        for name, item in left.items():
            self._miss(f"{path}.{name}" if path else name, UNSET, item)

    def _key(self, recorded: str, came: dict[str, Any]) -> str | None:
        """The name that a placeholder in a name stands for."""
        if "${" not in recorded:
            return None
        return next((name for name in came if self._text_fits(recorded, name)), None)

    def _text_fits(self, recorded: str, came: Any) -> bool:
        whole = _PLACEHOLDER.fullmatch(recorded)
        if whole:
            return self._is(whole, came)
        if not isinstance(came, str):
            return False
        pattern, holes = _pattern(recorded)
        match = re.fullmatch(pattern, came, re.DOTALL)
        return match is not None and all(
            self._is(hole, part) for hole, part in zip(holes, match.groups(), strict=True)
        )

    def _is(self, hole: re.Match[str], came: Any) -> bool:
        """Whether the placeholder may stand for this."""
        kind, number = hole[1], hole[2] or ""
        if kind in LOOSE or came is UNSET or isinstance(came, dict | list):
            return kind in LOOSE
        name = f"{kind}:{number}"
        known = self.found.get(name, self._values.get(name, UNSET))
        if known is not UNSET:
            return bool(known == came)
        taken = self._found_names.get((kind, came)) or self._names.get((kind, came))
        if taken is not None:
            return False  # it is another one's already
        self.found[name] = came
        self._found_names[kind, came] = name
        return True

    def _miss(self, path: str, recorded: Any, came: Any) -> None:
        self.misfits.append(Misfit(path, recorded, came))


def without(names: frozenset[str], value: Any) -> Any:
    """The JSON without the members of these names, wherever they stand."""
    if isinstance(value, dict):
        return {name: without(names, item) for name, item in value.items() if name not in names}
    return [without(names, item) for item in value] if isinstance(value, list) else value


def _pattern(recorded: str) -> tuple[str, list[re.Match[str]]]:
    holes = list(_PLACEHOLDER.finditer(recorded))
    pattern, end = "", 0
    for hole in holes:
        pattern += re.escape(unescape(recorded[end : hole.start()])) + "(.+?)"
        end = hole.end()
    return pattern + re.escape(unescape(recorded[end:])), holes


def _kind(name: str) -> str:
    return name.partition(":")[0]


def _fresh(kind: str) -> Any:
    match kind:
        case "epoch" | "registration":
            return 0
        case "producer":
            return secrets.randbits(62) + 1
        case "trace":
            return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
        case "agent" | "namespace" | "topic":
            return secrets.token_hex(4)
    return uuid.uuid4().hex


def _now(unit: str) -> Any:
    seconds = time.time()
    number = unit.removesuffix("f") if unit.endswith("f") else unit
    if number == "iso":
        return datetime.now(UTC).isoformat()
    value = seconds * {"s": 1, "": 1e3, "ms": 1e3, "us": 1e6, "ns": 1e9}.get(number, 1e3)
    return value if unit.endswith("f") else int(value)
