"""What has crossed, for whoever wonders why a fault did not fire."""

from __future__ import annotations

import pytest

from loom_testing.faults import Which
from loom_testing.faults.crossed import MOST_KEPT, Crossed
from tests.loom_testing.faults.messages import answer, call, delivery, publish, register


def crossed(*messages) -> Crossed:
    found = Crossed()
    for message in messages:
        found.count(message)
    return found


def test_nothing():
    assert crossed().told() == "No message has crossed: did the agents connect to this bridge?"
    assert crossed().nearest(Which(topic="t")) == ""


def test_each_agents_kinds_with_their_topics_and_capabilities():
    published = [publish("order.placed"), publish("order.paid"), publish("order.paid")]
    asked = call("prices.look_up", "b")
    found = crossed(*published, delivery("order.paid", agent="b"), asked, answer(asked, "b"), register())
    assert found.told().splitlines() == [
        "What crossed:",
        "  (nobody): 1 register",
        "  a: 3 publish (order.paid, order.placed)",
        "  b: 1 answer (prices.look_up), 1 call (prices.look_up), 1 delivery (order.paid)",
    ]


def test_of_many_names_some_stand_there():
    told = crossed(*[publish(f"t.{number}") for number in range(9)]).told()
    assert told.endswith("a: 9 publish (t.0, t.1, t.2, t.3, t.4, t.5, 3 more)")


def test_of_very_many_names_not_all_are_kept():
    found = crossed(*[publish(f"t.{number}") for number in range(MOST_KEPT + 1)])
    assert f"{MOST_KEPT - 6} more" in found.told()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"topic": "order.payed"}, "the nearest topic is order.placed, not order.payed"),
        ({"topic": "orders.*"}, "the nearest topic is order.placed, not orders.*"),
        ({"type": "rply"}, "the nearest type is reply, not rply"),
        ({"capability": "prices.lookup"}, "the nearest capability is prices.look_up, not prices.lookup"),
        ({"agent": "shp"}, "the nearest agent is shop, not shp"),
        ({"agent": "shop", "topic": "order.payed"}, "the nearest topic is order.placed, not order.payed"),
        ({"topic": "order.*"}, ""),
        ({"topic": "weather"}, ""),
        ({"agent": "shop"}, ""),
        ({}, ""),
    ],
)
def test_the_nearest(asked, said):
    found = crossed(publish("order.placed", "reply", "shop"), call("prices.look_up", "shop"))
    assert found.nearest(Which(**asked)) == said
