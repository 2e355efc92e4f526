"""Changing what a live session hears (feature `subscriptions`, PUB-8)."""

from __future__ import annotations

from loom.codes import Code
from loom_testing.engine import flow
from loom_testing.engine.core import Core
from loom_testing.engine.messages import Err, Receipt, Subscribe, Unsubscribe
from loom_testing.engine.registration import Problem, add_routes, remove_routes, subscription_problem
from loom_testing.engine.stream import Stream

__all__ = ["subscribe", "unsubscribe"]


def subscribe(core: Core, stream: Stream, message: Subscribe) -> None:
    """Adds all of the subscriptions, or none and says why."""
    if _lacks_feature(core, stream, message.ref):
        return
    agent = core.agents[stream.agent_id]
    problem: Problem | None = None
    declared = sum(1 for route in agent.routes if not route.implicit)
    count = declared + len(message.subscriptions)
    if count > core.limits.subscriptions:
        most = core.limits.subscriptions
        problem = Code.LIMIT_EXCEEDED, f"{count} subscriptions; at most {most} are allowed"
    for subscription in message.subscriptions:
        problem = problem or subscription_problem(subscription)
    if not problem:
        add_routes(core, agent, message.subscriptions)
    _answer(core, stream, message.ref, problem)


def unsubscribe(core: Core, stream: Stream, message: Unsubscribe) -> None:
    """Removes the subscriptions of the same topic and group; what is not there is no error."""
    if _lacks_feature(core, stream, message.ref):
        return
    agent = core.agents[stream.agent_id]
    named = {(subscription.topic, subscription.group) for subscription in message.subscriptions}
    gone = [
        route
        for route in agent.routes
        if not route.implicit and (route.subscription.topic, route.subscription.group) in named
    ]
    remove_routes(core, agent, gone)
    agent.forget_left_groups()
    _answer(core, stream, message.ref, None)


def _lacks_feature(core: Core, stream: Stream, ref: int) -> bool:
    """Refuses what was not agreed on, without a receipt: that is a message of the feature too (BASE-2.3)."""
    if "subscriptions" in stream.features:
        return False
    _refuse(
        core, stream, ref, (Code.FEATURE_REQUIRED, "changing subscriptions needs the feature subscriptions")
    )
    return True


def _refuse(core: Core, stream: Stream, ref: int, problem: Problem) -> None:
    flow.reply(core, stream, Err(*problem, ref=str(ref) if ref else ""))


def _answer(core: Core, stream: Stream, ref: int, problem: Problem | None) -> None:
    """An error where there is one, and a receipt where one was asked for."""
    if problem:
        _refuse(core, stream, ref, problem)
    if ref:
        flow.reply(core, stream, Receipt(ref, code=problem[0] if problem else ""))
