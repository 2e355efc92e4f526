"""Where random operations get their values: few of each, so that they meet, and bad ones among them."""

from __future__ import annotations

from random import Random

from loom_testing.engine import messages as m
from loom_testing.engine.limits import FEATURES

AGENTS = ["a", "b", "c", "d.e", "team:1"]
BAD_AGENTS = ["", "a b", "a.*", "é", "x" * 129, 'q"\\\n', "😀" * 50, "\x00", "."]
TOPICS = ["a", "a.b", "a.b.c", "b", "c.b", "agent.a.replies", "agent.d.e.replies"]
BAD_TOPICS = ["", "a..b", "a.*", ">", "a b", "x" * 256, "é" * 200, "a>", "a.b\n"]
PATTERNS = ["a", "a.b", "*", ">", ">", "a.*", "a.>", "a.>", "*.b", "*.*", "a.b.c", "agent.>", "b.>"]
BAD_PATTERNS = ["", ">.a", "a*", "a..b", "a.b c", "x" * 256, "a.>>"]
GROUPS = ["g", "g", "h.1"]
BAD_GROUPS = ["g.*", "g h", "x" * 300]
TYPES = ["t", "u", ""]
CAPABILITIES = ["cap", "tool.x", "z"]
BAD_CAPABILITIES = ["", "a.*", "a b", "nobody", "x" * 300]
CONCURRENCY = ["1", "2", "3", "999999"]
BAD_CONCURRENCY = ["0", "01", "-1", "", "1000000", "one", "१", "1\n", '"']
TTLS = ["1", "5", "50", "2000", "60000", "9999999999"]
BAD_TTLS = ["0", "01", "-1", "", "99999999999", " 5", "5\n", "é", "\u0665"]
CALLERS = ["", "", "a", "b", "x" * 300]
CALL_IDS = ["", "", "1", "2", "3", "4", "x" * 300, "q\u2028"]
CODES = ["MY_CODE", "", "é"]


class Values:
    """Random values from one source; `bad` is how often a value is a bad one."""

    def __init__(self, random: Random, bad: float = 0.04) -> None:
        self.random = random
        self.bad = bad

    def chance(self, often: float) -> bool:
        return self.random.random() < often

    def pick(self, good: list[str], bad: list[str] | None = None) -> str:
        return self.random.choice(bad if bad and self.chance(self.bad) else good)

    def some(self, good: list[str], most: int, bad: list[str] | None = None) -> list[str]:
        return [self.pick(good, bad) for _ in range(self.random.randint(0, most))]

    def agent(self) -> str:
        return self.pick(AGENTS, BAD_AGENTS)

    def features(self) -> list[str]:
        if self.chance(0.6):
            return list(FEATURES)
        return self.some([*FEATURES, "resume", "nonsense"], 5)

    def subscriptions(self, most: int = 3) -> list[m.Subscription]:
        return [self.subscription() for _ in range(self.random.choice([1, 2, most]))]

    def subscription(self) -> m.Subscription:
        group = self.pick(GROUPS, BAD_GROUPS) if self.chance(0.6) else ""
        return m.Subscription(
            self.pick(PATTERNS, BAD_PATTERNS),
            self.some(TYPES[:2], 2, [""]) if self.chance(0.3) else [],
            self.random.choice([None, None, 0, 1, 2, 0 if not self.chance(self.bad) else 7]),
            group,
            self.chance(0.3) if not group else self.chance(self.bad),
        )

    def capabilities(self, most: int = 2) -> list[m.Capability]:
        names = self.random.sample(CAPABILITIES, self.random.choice([0, 1, most, most]))
        offered = [self.capability(name) for name in names]
        return offered * 2 if self.chance(self.bad / 2) else offered

    def capability(self, name: str) -> m.Capability:
        metadata = {}
        if self.chance(0.5):
            metadata["loom.max_concurrency"] = self.pick(CONCURRENCY, BAD_CONCURRENCY)
        if self.chance(0.2):
            metadata["description"] = "é\U0001f600\x7f"
        name = name if not self.chance(self.bad / 2) else self.random.choice(BAD_CAPABILITIES)
        version = self.random.choice(["", "1", "1", "2"])
        return m.Capability(name, version if not self.chance(self.bad / 2) else "v" * 129, 0, metadata)

    def event(self) -> bytes:
        parts = [_text(0x0A, f"e{self.random.randint(0, 9)}"), _text(0x12, self.random.choice(TYPES))]
        if self.chance(0.25):
            ttl = self.pick(TTLS, BAD_TTLS)
            parts.append(_field(0x2A, _text(0x0A, "loom.ttl_ms") + _text(0x12, ttl)))
        if self.chance(0.5):
            parts.append(_field(0x32, self.random.randbytes(self.random.randint(0, 60))))
        if self.chance(0.1):
            parts.append(self.random.choice([b"\x18\x05", b"\x3d\0\0\0\0", b"\x53\x08\x01\x54", b"\x50\x01"]))
        self.random.shuffle(parts)
        return self._spoil(b"".join(parts)) if self.chance(self.bad) else b"".join(parts)

    def _spoil(self, data: bytes) -> bytes:
        place = self.random.randrange(len(data))
        match self.random.randrange(4):
            case 0:
                return data[:place]
            case 1:
                return data[:place] + self.random.randbytes(1) + data[place + 1 :]
            case 2:
                return data[:place] + self.random.randbytes(3) + data[place:]
            case _:
                return self.random.randbytes(place)

    def headers(self) -> dict[str, str]:
        caller = self.random.choice(CALLERS)
        if caller and not self.chance(0.1):
            caller = caller[:1]
        headers = {"x-agent-id": caller} if caller else {}
        if self.chance(0.2):
            headers["traceparent"] = "é" * self.random.randint(0, 9)
        return headers

    def call(self) -> m.ActionCall:
        timeout = self.random.choice([0, 0, 1, 50, 5_000, 90_000, 10**13])
        call_id = self.random.choice(CALL_IDS)
        return m.ActionCall(
            call_id if len(call_id) < 9 or self.chance(self.bad) else "1",
            self.pick(CAPABILITIES, BAD_CAPABILITIES),
            self.random.choice(["", "", "", "", "", "1"]),
            self.random.choice([b"", b"one", b"two", b"x" * 40]),
            self.headers(),
            timeout if not self.chance(self.bad) else -timeout,
            self.random.choice(["", "thread"]),
            self.random.choice([0, 1, 2, 7]),
        )

    def result(self, call_id: str) -> m.ActionResult:
        error = None
        if self.chance(0.4):
            details = {"k": "é" * self.random.randint(0, 20)} if self.chance(0.3) else {}
            error = m.ActionError(self.random.choice(CODES), self.random.choice(["", "text"]), details)
        output = self.random.randbytes(self.random.randint(0, 30))
        return m.ActionResult(call_id, self.random.choice([0, 0, 0, 1, 1, 2, 3, 7]), output, error)


def _field(tag: int, content: bytes) -> bytes:
    assert len(content) < 128
    return bytes([tag, len(content)]) + content


def _text(tag: int, text: str) -> bytes:
    return _field(tag, text.encode())
