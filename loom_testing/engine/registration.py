"""Registration: checked as a whole, then applied as a whole (REG)."""

from __future__ import annotations

import re

from loom.codes import Code
from loom_testing.engine.agent import Agent
from loom_testing.engine.core import Core
from loom_testing.engine.counters import Counter
from loom_testing.engine.inputs import Register
from loom_testing.engine.limits import FEATURES, micros
from loom_testing.engine.messages import Capability, Subscription
from loom_testing.engine.outputs import RegisterReply
from loom_testing.engine.router import Route
from loom_testing.engine.states import SESSION, SessionTrigger, step
from loom_testing.engine.text import quote, utf8_size
from loom_testing.engine.timers import TimerKind
from loom_testing.engine.topics import agent_id_problem, pattern_problem, replies_topic, topic_problem

__all__ = ["add_routes", "register", "remove_routes", "subscription_problem", "withdraw"]

VERSION_BYTES = 128
_CONCURRENCY = re.compile(r"[1-9][0-9]{0,5}")

Problem = tuple[Code, str]


def register(core: Core, request: Register) -> None:
    """Answers one registration (REG-1 to REG-5)."""
    problem = _problem(core, request)
    if problem:
        core.count(Counter.AGENTS_REFUSED)
        core.emit(RegisterReply(request.call, *problem))
        return
    agent = core.agents.get(request.agent_id)
    if agent is None:
        agent = core.agents[request.agent_id] = Agent(request.agent_id)
    _apply(core, agent, request)
    core.count(Counter.AGENTS_REGISTERED)
    core.emit(
        RegisterReply(
            request.call,
            features=sorted(agent.features),
            heartbeat_interval_ms=core.limits.heartbeat_interval_ms,
            registration=agent.registration,
        )
    )


def _apply(core: Core, agent: Agent, request: Register) -> None:
    """Replaces what the agent hears and offers (REG-3)."""
    agent.state = step(SESSION, agent.state, SessionTrigger.REGISTER)
    agent.registration = core.next_registration()
    agent.features = frozenset(FEATURES).intersection(request.features)
    agent.echo = request.echo is not False
    remove_routes(core, agent, agent.routes)
    plain = [Subscription(topic) for topic in request.subscribed_topics]
    add_routes(core, agent, [Subscription(replies_topic(agent.agent_id))], implicit=True)
    add_routes(core, agent, plain + request.subscriptions)
    agent.forget_left_groups()
    withdraw(core, agent)
    agent.capabilities = {capability.name: capability for capability in request.capabilities}
    for name in agent.capabilities:
        core.providers.setdefault(name, {})[agent.agent_id] = agent
        core.freed[name] = None
    if agent.stream is None:
        lapse = core.now + micros(core.limits.registration_lapse_ms)
        core.timers.set(TimerKind.LAPSE, agent.agent_id, lapse)


def add_routes(
    core: Core, agent: Agent, subscriptions: list[Subscription], *, implicit: bool = False
) -> None:
    """Subscribes the agent."""
    for subscription in subscriptions:
        types = frozenset(subscription.event_types)
        route = Route(agent.agent_id, subscription, types, implicit)
        agent.routes.append(route)
        core.router.add(route)


def remove_routes(core: Core, agent: Agent, routes: list[Route]) -> None:
    """Unsubscribes the agent from some or all of what it hears."""
    for route in routes:
        core.router.remove(route)
    gone = set(routes)
    agent.routes = [route for route in agent.routes if route not in gone]


def withdraw(core: Core, agent: Agent) -> None:
    """Takes back what the agent offers; calls that wait for it are looked at again before the step ends."""
    for name in agent.capabilities:
        offering = core.providers[name]
        del offering[agent.agent_id]
        if not offering:
            del core.providers[name]
        core.freed[name] = None
    agent.capabilities = {}


def _problem(core: Core, request: Register) -> Problem | None:
    """What is wrong with a registration, naming the culprit; None when nothing is."""
    problem = agent_id_problem(request.agent_id)
    if problem:
        return Code.INVALID_AGENT_ID, f"agent id {quote(request.agent_id)} {problem}"
    if core.draining:
        return Code.DRAINING, "the bridge is about to stop"
    return (
        _topics_problem(request)
        or _subscriptions_problem(core, request)
        or _capabilities_problem(core, request)
    )


def _topics_problem(request: Register) -> Problem | None:
    for topic in request.subscribed_topics:
        problem = pattern_problem(topic)
        if problem:
            return Code.INVALID_TOPIC, f"topic {quote(topic)} {problem}"
    return None


def _subscriptions_problem(core: Core, request: Register) -> Problem | None:
    count = len(request.subscribed_topics) + len(request.subscriptions)
    if count > core.limits.subscriptions:
        most = core.limits.subscriptions
        return Code.LIMIT_EXCEEDED, f"{count} subscriptions; at most {most} are allowed"
    if request.subscriptions and "subscriptions" not in request.features:
        return Code.FEATURE_REQUIRED, "subscriptions with options need the feature subscriptions"
    for subscription in request.subscriptions:
        problem = subscription_problem(subscription)
        if problem:
            return problem
    return None


def subscription_problem(subscription: Subscription) -> Problem | None:
    """What is wrong with one subscription (REG-2)."""
    problem = pattern_problem(subscription.topic)
    if problem:
        return Code.INVALID_TOPIC, f"topic {quote(subscription.topic)} {problem}"
    named = f"subscription {quote(subscription.topic)}"
    if subscription.qos is not None and not 0 <= subscription.qos <= 2:
        return Code.INVALID_SUBSCRIPTION, f"{named} has the unknown qos {subscription.qos}"
    if "" in subscription.event_types:
        return Code.INVALID_SUBSCRIPTION, f"{named} has an empty event type"
    if subscription.group:
        problem = topic_problem(subscription.group)
        if problem:
            return Code.INVALID_SUBSCRIPTION, f"{named}: group {quote(subscription.group)} {problem}"
        if subscription.observer:
            return Code.INVALID_SUBSCRIPTION, f"{named} has a group and is an observer; it can be one of them"
    return None


def _capabilities_problem(core: Core, request: Register) -> Problem | None:
    count = len(request.capabilities)
    if count > core.limits.capabilities:
        most = core.limits.capabilities
        return Code.LIMIT_EXCEEDED, f"{count} capabilities; at most {most} are allowed"
    seen = set()
    for capability in request.capabilities:
        problem = _capability_problem(capability)
        if problem is None and capability.name in seen:
            problem = "is named twice"
        if problem:
            return Code.INVALID_CAPABILITY, f"capability {quote(capability.name)} {problem}"
        seen.add(capability.name)
    return None


def _capability_problem(capability: Capability) -> str | None:
    problem = topic_problem(capability.name)
    if problem:
        return problem
    if utf8_size(capability.version) > VERSION_BYTES:
        return f"has a version of more than {VERSION_BYTES} bytes"
    most = capability.metadata.get("loom.max_concurrency")
    if most is not None and not _CONCURRENCY.fullmatch(most):
        return f"has loom.max_concurrency {quote(most)}; it must be a whole number from 1 to 999999"
    return None
