"""What must never be written: tokens, passwords, keys.

They are found by the names they stand under, by their looks, and then wherever else the same value stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["REDACTED", "Redaction", "Redactor"]

REDACTED = "${redacted}"

ANYWHERE = frozenset(
    {"apikey", "authorization", "credential", "credentials", "passphrase", "passwd"}
    | {"password", "passwords", "pwd", "secret", "secrets"}
)
"""Words that make any name secret that holds one of them: `client_secret`, `passwordHash`."""
AT_THE_END = frozenset({"token", "tokens", "cookie", "cookies", "jwt", "bearer"})
"""Words that make a name secret that ends in one: `access_token`, but not `token_count`."""
PAIRS = frozenset(
    {("api", "key"), ("access", "key"), ("private", "key"), ("signing", "key"), ("session", "key")}
)

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

LOOKS = (
    r"(?i:bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}",
    r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*",
    r"\bsk-[\w-]{12,}",
    r"\bgh[pousr]_[A-Za-z0-9]{20,}",
    r"\bgithub_pat_\w{20,}",
    r"\bxox[abprs]-[\w-]{10,}",
    r"\bAKIA[0-9A-Z]{16}\b",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    r"(?<=://)[^\s/:@]+:[^\s/@]+(?=@)",
)
"""What looks like a secret, wherever it stands."""
_ASSIGNED = re.compile(
    r"(?i)([\w.-]*(?:password|passwd|passphrase|secret|api[_-]?key|token|authorization)[\"']?\s*[=:]\s*)"
    r"(\"[^\"]*\"?|'[^']*'?|[^\s&,;}\"']+)"
)
"""A secret's name and its value in plain text: `password=...`, `"token": "..."`."""
SHORTEST = 6
"""Values shorter than this are not looked for elsewhere: they would be found by chance."""


@dataclass(frozen=True)
class Redaction:
    """What is secret, besides what always is.

    Attributes:
        keys: more names whose values are secret, as regular expressions that match the whole name.
        values: more patterns of secrets, as regular expressions, wherever they stand.
        keep: names that are no secret although they look like one.
    """

    keys: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for pattern in (*self.keys, *self.values, *self.keep):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"redaction pattern {pattern!r} is no regular expression: {error}") from None


@dataclass
class Redactor:
    """Redacts one transcript: first it is shown everything (`see`), then it cleans (`text`, `json`)."""

    redaction: Redaction = field(default_factory=Redaction)

    def __post_init__(self) -> None:
        self._looks = re.compile("|".join(f"(?:{pattern})" for pattern in (*LOOKS, *self.redaction.values)))
        self._keys = [re.compile(pattern) for pattern in self.redaction.keys]
        self._keep = [re.compile(pattern) for pattern in self.redaction.keep]
        self._known: dict[str, bool] = {}
        self._found: set[str] = set()
        self._elsewhere: re.Pattern[str] | None = None

    def is_secret(self, name: str) -> bool:
        """Whether what stands under this name is secret."""
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._judge(name)
        return known

    def see(self, value: Any, *, secret: bool = False) -> None:
        """Looks for secrets in JSON, so that they are found elsewhere as well."""
        if isinstance(value, dict):
            for name, item in value.items():
                self.see(item, secret=secret or self.is_secret(str(name)))
        elif isinstance(value, list):
            for item in value:
                self.see(item, secret=secret)
        elif secret and isinstance(value, str) and len(value) >= SHORTEST and value != REDACTED:
            self._found.update({value, value.removeprefix("Bearer ")})
            self._elsewhere = None

    def text(self, text: str) -> str:
        """The text without its secrets."""
        text = self._looks.sub(REDACTED, text)
        text = _ASSIGNED.sub(self._assigned, text)
        return self._known_values().sub(REDACTED, text) if self._found else text

    def json(self, value: Any) -> Any:
        """The JSON without its secrets; names are cleaned as well."""
        if isinstance(value, dict):
            return {
                self.text(name): REDACTED if self._hides(name, item) else self.json(item)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self.json(item) for item in value]
        return self.text(value) if isinstance(value, str) else value

    def is_tainted(self, data: bytes) -> bool:
        """Whether bytes that are no text hold a secret."""
        text = data.decode("latin-1")
        return self.text(text) != text

    def _hides(self, name: str, value: Any) -> bool:
        if not self.is_secret(name) or value is None or isinstance(value, bool):
            return False
        # How many tokens, not which.
        return not (name.lower().endswith("tokens") and isinstance(value, int | float))

    def _judge(self, name: str) -> bool:
        if any(pattern.fullmatch(name) for pattern in self._keep):
            return False
        if any(pattern.fullmatch(name) for pattern in self._keys):
            return True
        words = [word.lower() for word in _WORD.findall(name)]
        return bool(
            ANYWHERE.intersection(words)
            or (words and words[-1] in AT_THE_END)
            or PAIRS.intersection(pairwise(words))
        )

    def _assigned(self, match: re.Match[str]) -> str:
        name = match[1].rstrip("=: \t\n\"'")
        return match[0] if not self.is_secret(name) or match[2] == REDACTED else match[1] + REDACTED

    def _known_values(self) -> re.Pattern[str]:
        if self._elsewhere is None:
            self._elsewhere = re.compile("|".join(map(re.escape, _longest_first(self._found))))
        return self._elsewhere


def _longest_first(values: Iterable[str]) -> list[str]:
    return sorted(values, key=lambda value: (-len(value), value))
