"""Bugs in how a live session changes what it hears (PUB-8)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

SUBSCRIPTIONS = "loom_testing/engine/subscriptions.py"

ADD = "        add_routes(core, agent, message.subscriptions)\n"

MUTANTS = [
    Mutant(
        clause="PUB-8.21",
        name="subscribed-and-not-heard",
        why="new subscriptions are listed, and not given to the router",
        file=SUBSCRIPTIONS,
        old=ADD,
        new="        pass\n",
        killed_by="what was heard of .*expected .*got \\[\\]",
    ),
    Mutant(
        clause="PUB-8.21",
        name="subscribed-by-topic-only",
        why="of a subscription added while live only the topic is taken",
        file=SUBSCRIPTIONS,
        old=ADD,
        new="        plain = [type(item)(item.topic) for item in message.subscriptions]\n"
        "        add_routes(core, agent, plain)\n",
        killed_by="what the members that joined while live heard",
    ),
    Mutant(
        clause="PUB-8.22",
        name="subscribing-replaces",
        why="new subscriptions take the place of those before",
        file=SUBSCRIPTIONS,
        old=ADD,
        new="        remove_routes(core, agent, [route for route in agent.routes if not route.implicit])\n"
        + ADD,
        killed_by="the topics that it hears: expected .*got \\['new'\\]",
    ),
    Mutant(
        clause="PUB-8.23",
        name="the-good-ones-are-added",
        why="of a Subscribe with a bad one the good ones are added",
        file=SUBSCRIPTIONS,
        old="    if not problem:\n" + ADD,
        new="    good = [item for item in message.subscriptions if not subscription_problem(item)]\n"
        "    add_routes(core, agent, good)\n",
        killed_by="the topics heard after a refused Subscribe",
    ),
    Mutant(
        clause="PUB-8.23",
        name="up-to-the-bad-one",
        why="the subscriptions before the bad one are added",
        file=SUBSCRIPTIONS,
        old="        problem = problem or subscription_problem(subscription)\n    if not problem:\n" + ADD,
        new="        problem = problem or subscription_problem(subscription)\n"
        "        if not problem:\n            add_routes(core, agent, [subscription])\n",
        killed_by="the topics heard after a refused Subscribe",
    ),
    Mutant(
        clause="PUB-8.24",
        name="only-topics-are-looked-at",
        why="of a subscription added while live only the topic is checked",
        file=SUBSCRIPTIONS,
        old="        problem = problem or subscription_problem(subscription)\n",
        new="        problem = problem or subscription_problem(type(subscription)(subscription.topic))\n",
        killed_by="a bad subscription to t: the kind of the answer: expected 'err'",
    ),
    Mutant(
        clause="PUB-8.24",
        name="a-refusal-without-ref",
        why="the err of a refused Subscribe does not say which",
        file=SUBSCRIPTIONS,
        old='Err(*problem, ref=str(ref) if ref else "")',
        new="Err(*problem)",
        killed_by=r"what the err is about \(ref\): expected '1', got ''",
    ),
    Mutant(
        clause="PUB-8.25",
        name="unsubscribed-and-heard",
        why="subscriptions are taken off the list, and not from the router",
        file=SUBSCRIPTIONS,
        old="    remove_routes(core, agent, gone)\n",
        new="    agent.routes = [route for route in agent.routes if route not in gone]\n",
        killed_by="the topics heard after the Unsubscribe|the member that left",
    ),
    Mutant(
        clause="PUB-8.25",
        name="one-at-a-time",
        why="an Unsubscribe takes back its first subscription only",
        file=SUBSCRIPTIONS,
        old="    remove_routes(core, agent, gone)\n",
        new="    remove_routes(core, agent, gone[:1])\n",
        killed_by="the topics heard after the Unsubscribe",
    ),
    Mutant(
        clause="PUB-8.26",
        name="unsubscribing-minds-no-group",
        why="all subscriptions of the topic are taken back, whatever their group",
        file=SUBSCRIPTIONS,
        old="(route.subscription.topic, route.subscription.group) in named",
        new="route.subscription.topic in {topic for topic, group in named}",
        killed_by="having left the topic, then g, then h",
    ),
    Mutant(
        clause="PUB-8.27",
        name="unsubscribing-twice-is-wrong",
        why="an Unsubscribe of what is not there is refused",
        file=SUBSCRIPTIONS,
        old="    _answer(core, stream, message.ref, None)\n",
        new='    wrong = (Code.NOT_FOUND, "there is no such subscription")\n'
        "    _answer(core, stream, message.ref, None if len(gone) == len(named) else wrong)\n",
        killed_by="the answers to an Unsubscribe of what is not there",
    ),
    Mutant(
        clause="PUB-8.28",
        name="replies-can-be-left",
        why="the replies topic is taken back like any other",
        file=SUBSCRIPTIONS,
        old="if not route.implicit and (route.subscription.topic",
        new="if (route.subscription.topic",
        killed_by="what was heard after the Unsubscribe: expected .*got \\[\\]",
    ),
    Mutant(
        clause="PUB-8.29",
        name="no-receipts-of-refusals",
        why="a change that is refused has an err and no receipt",
        file=SUBSCRIPTIONS,
        old="    if ref:\n",
        new="    if ref and not problem:\n",
        killed_by="the answers to a bad one: expected",
    ),
    Mutant(
        clause="PUB-8.29",
        name="receipts-without-codes",
        why="the receipt of a refused change looks like a good one",
        file=SUBSCRIPTIONS,
        old='Receipt(ref, code=problem[0] if problem else "")',
        new="Receipt(ref)",
        killed_by="the receipt of a bad Subscribe: expected .*INVALID_TOPIC",
    ),
    Mutant(
        clause="PUB-8.30",
        name="receipts-unasked",
        why="a change without a ref is answered by a receipt about 0",
        file=SUBSCRIPTIONS,
        old="    if ref:\n",
        new="    if ref >= 0:\n",
        killed_by="good changes without a ref: expected nothing, got .*receipt",
    ),
    Mutant(
        clause="PUB-8.31",
        name="changes-for-all-who-ask",
        why="subscriptions can be changed whether or not the feature was agreed",
        file=SUBSCRIPTIONS,
        old='    if "subscriptions" in stream.features:\n        return False\n',
        new="    if stream.features is not None:\n        return False\n",
        killed_by="the answers to agent.*expected one err, got \\[\\]",
    ),
    Mutant(
        clause="PUB-8.31",
        name="refused-and-changed",
        why="without the feature an err comes, and the change is made all the same",
        file=SUBSCRIPTIONS,
        old="    return True\n",
        new="    return False\n",
        killed_by="the topics heard after both",
    ),
    Mutant(
        clause="PUB-8.32",
        name="each-subscribe-for-itself",
        why="the limit is compared with what one Subscribe adds, not with what is there in the end",
        file=SUBSCRIPTIONS,
        old="    count = declared + len(message.subscriptions)\n",
        new="    count = len(message.subscriptions)\n",
        killed_by="the answers to agent.*expected one err, got \\[\\]",
    ),
    Mutant(
        clause="PUB-8.32",
        name="one-subscription-too-few",
        why="the replies topic counts as one of an agent's subscriptions",
        file=SUBSCRIPTIONS,
        old="declared = sum(1 for route in agent.routes if not route.implicit)",
        new="declared = len(agent.routes)",
        killed_by="for as many as there is room for: expected nothing, got .*LIMIT_EXCEEDED",
    ),
]
