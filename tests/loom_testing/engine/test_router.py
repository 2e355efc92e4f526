"""Matching: the tree against a naive oracle, and its cost."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from loom_testing.engine.messages import Subscription
from loom_testing.engine.router import Route, Router

TOKENS = st.sampled_from(["a", "b", "c"])
TOPICS = st.lists(TOKENS, min_size=1, max_size=5).map(".".join)
PATTERNS = st.tuples(
    st.lists(st.one_of(TOKENS, st.just("*")), max_size=4), st.sampled_from(["a", "*", ">"])
).map(lambda parts: ".".join([*parts[0], parts[1]]))


def route(pattern: str, agent_id: str = "agent") -> Route:
    return Route(agent_id, Subscription(pattern), frozenset())


def naive(pattern: str, topic: str) -> bool:
    """PUB-2 as a regular expression."""
    tokens = [{"*": r"[^.]+", ">": r".+"}.get(token, re.escape(token)) for token in pattern.split(".")]
    return re.fullmatch(r"\.".join(tokens), topic) is not None


@given(st.lists(PATTERNS, max_size=12), st.lists(TOPICS, min_size=1, max_size=8), st.data())
def test_agrees_with_the_oracle(patterns: list[str], topics: list[str], data: st.DataObject) -> None:
    router = Router()
    held: list[Route] = []
    for pattern in patterns:
        held.append(route(pattern))
        router.add(held[-1])
    for topic in topics:
        removes: bool = data.draw(st.booleans())
        if held and removes:
            router.remove(held.pop(data.draw(st.integers(0, len(held) - 1))))
        found = {id(item) for item in router.match(topic)}
        assert found == {id(item) for item in held if naive(item.subscription.topic, topic)}
        assert len(router.match(topic)) == len(found)
    assert len(router) == len(held)


def test_an_emptied_router_holds_nothing() -> None:
    router = Router()
    routes = [route(pattern) for pattern in ("a.b.c", "a.*.c", "a.>", ">", "*")]
    for item in routes:
        router.add(item)
    for item in routes:
        router.remove(item)
    assert router._root.is_empty()
    assert router.match("a.b.c") == []


def test_rest_needs_at_least_one_token() -> None:
    router = Router()
    router.add(route("a.>"))
    assert not router.match("a")
    assert router.match("a.b.c.d")


def test_unrelated_subscriptions_are_not_visited() -> None:
    """Counted, not timed: with 10,000 unrelated patterns the walk touches the same few nodes."""
    router = Router()
    router.add(route("work.*.done"))
    for number in range(10_000):
        router.add(route(f"other.{number}.>"))
    visited = 0
    node, tokens = router._root, ["work", "x", "done"]
    todo = [(node, 0)]
    while todo:
        node, depth = todo.pop()
        visited += 1
        if depth < len(tokens):
            children = (node.children.get(token) for token in (tokens[depth], "*"))
            todo.extend((child, depth + 1) for child in children if child)
    assert visited == 4
    assert len(router.match("work.x.done")) == 1


def test_matches_are_cached_and_the_cache_is_bounded() -> None:
    router = Router()
    router.add(route("a.*"))
    for number in range(3_000):
        assert len(router.match(f"a.{number}")) == 1
    assert len(router._matches) <= 1024
    router.add(route("a.1"))
    assert len(router.match("a.1")) == 2
