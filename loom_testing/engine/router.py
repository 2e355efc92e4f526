"""Which subscriptions a topic reaches (PUB-2).

A tree of tokens: a topic walks down it token by token, along the exact child and along `*`, and
collects `>` on the way. So the cost of an event depends on the topic and on what matches it, not on how many
unrelated subscriptions there are.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from loom_testing.engine.messages import Subscription
from loom_testing.engine.topics import REST, STAR

__all__ = ["Route", "Router"]

CACHED_TOPICS = 1024


@dataclass(slots=True, eq=False)
class Route:
    """One subscription of one agent, as the router holds it."""

    agent_id: str
    subscription: Subscription
    event_types: frozenset[str]
    implicit: bool = False
    """Whether it is the replies topic every agent is subscribed to."""

    def takes(self, event_type: str) -> bool:
        """Whether the event-type filter lets it through (PUB-8)."""
        return not self.event_types or event_type in self.event_types


@dataclass(slots=True, eq=False)
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    here: list[Route] = field(default_factory=list)
    """Routes whose pattern ends at this node."""
    rest: list[Route] = field(default_factory=list)
    """Routes whose pattern has `>` below this node."""

    def is_empty(self) -> bool:
        return not (self.children or self.here or self.rest)


class Router:
    """All subscriptions of a namespace."""

    def __init__(self) -> None:
        self._root = _Node()
        self._matches: dict[str, list[Route]] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, route: Route) -> None:
        """Adds a route; its pattern is well-formed."""
        node, rest = self._root, False
        for token in route.subscription.topic.split("."):
            if token == REST:
                rest = True
                break
            node = node.children.setdefault(token, _Node())
        (node.rest if rest else node.here).append(route)
        self._size += 1
        self._matches.clear()

    def remove(self, route: Route) -> None:
        """Removes a route that was added."""
        tokens = route.subscription.topic.split(".")
        path = [self._root]
        for token in tokens:
            if token == REST:
                break
            path.append(path[-1].children[token])
        (path[-1].rest if tokens[-1] == REST else path[-1].here).remove(route)
        self._size -= 1
        self._matches.clear()
        for place in range(len(path) - 1, 0, -1):
            if not path[place].is_empty():
                break
            del path[place - 1].children[tokens[place - 1]]

    def match(self, topic: str) -> list[Route]:
        """Every route that a concrete topic reaches, in no order that matters."""
        found = self._matches.get(topic)
        if found is None:
            found = []
            _collect(self._root, topic.split("."), found)
            if len(self._matches) >= CACHED_TOPICS:
                self._matches.clear()
            self._matches[topic] = found
        return found


def _collect(root: _Node, tokens: list[str], found: list[Route]) -> None:
    """Walks with a list of its own rather than by recursion: a topic may have 128 tokens."""
    todo = [(root, 0)]
    while todo:
        node, depth = todo.pop()
        if depth == len(tokens):
            found.extend(node.here)
            continue
        found.extend(node.rest)
        for token in (tokens[depth], STAR):
            child = node.children.get(token)
            if child is not None:
                todo.append((child, depth + 1))
