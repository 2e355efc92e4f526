"""Bugs in queue groups (PUB-8)."""

from __future__ import annotations

from mutants.mutant import Mutant

__all__ = ["MUTANTS"]

PUBLISH = "loom_testing/engine/publish.py"

GIVE = "        flow.give(core, target, Copy(published, receiver.qos, tuple(receiver.groups)))\n    matched"

MEMBERS = """    for group in sorted(members):
        _add_member(core, receivers, group, members[group])
    ordered"""
HEIRS = """    if not copy.groups or (published.expires is not None and published.expires <= core.now):
        return False
    members: dict[str, list[Route]] = {}
    for route in _live_routes(core, published):
        if route.subscription.group in copy.groups:
"""

MUTANTS = [
    Mutant(
        clause="PUB-8.4",
        name="groups-are-plain",
        why="the group of a subscription is not looked at",
        file=PUBLISH,
        old="        if route.subscription.group:\n            members.setdefault",
        new='        if route.subscription.group == "*":\n            members.setdefault',
        killed_by="the members of the group heard, all together",
    ),
    Mutant(
        clause="PUB-8.5",
        name="a-group-per-pattern",
        why="members of a group with different patterns are served apart",
        file=PUBLISH,
        old="            members.setdefault(route.subscription.group, []).append(route)\n        else:",
        new='            name = f"{route.subscription.group} {route.subscription.topic}"\n'
        "            members.setdefault(name, []).append(route)\n        else:",
        killed_by="members under different patterns heard, all together",
    ),
    Mutant(
        clause="PUB-8.6",
        name="one-group-for-all",
        why="of several groups only the first gets the event",
        file=PUBLISH,
        old=MEMBERS,
        new=MEMBERS.replace("sorted(members)", "sorted(members)[:1]"),
        killed_by="what the group h heard: expected",
    ),
    Mutant(
        clause="PUB-8.6",
        name="plain-subscribers-satisfy-groups",
        why="a group gets nothing where somebody hears the topic plainly, member or not",
        file=PUBLISH,
        old=MEMBERS,
        new="    if any(receiver.plain for receiver in receivers.values()):\n        members = {}\n"
        + MEMBERS,
        killed_by="what the group g heard: expected",
    ),
    Mutant(
        clause="PUB-8.7",
        name="a-copy-per-group",
        why="an agent is given a copy for each group that chose it",
        file=PUBLISH,
        old=GIVE,
        new="        for group in receiver.groups or [None]:\n"
        "            mine = (group,) if group else ()\n"
        "            flow.give(core, target, Copy(published, receiver.qos, mine))\n    matched",
        killed_by="the only member of three groups heard",
    ),
    Mutant(
        clause="PUB-8.8",
        name="a-member-beside-the-plain-one",
        why="a group is served although a member has the event plainly",
        file=PUBLISH,
        old="        if receiver is not None and receiver.plain:\n            return\n",
        new="        if receiver is not None and receiver.plain:\n            break\n",
        killed_by="what the other members heard: expected nothing",
    ),
    Mutant(
        clause="PUB-8.9",
        name="always-the-first-member",
        why="it is not noted who was served, so that always the same member is chosen",
        file=PUBLISH,
        old="    core.agents[chosen.agent_id].served[group] = core.next_serial()\n",
        new="",
        killed_by="what each member heard",
    ),
    Mutant(
        clause="PUB-8.9",
        name="turns-by-count",
        why="the member that was served least often is chosen, not the one served longest ago",
        file=PUBLISH,
        old="    core.agents[chosen.agent_id].served[group] = core.next_serial()\n",
        new="    served = core.agents[chosen.agent_id].served\n"
        "    served[group] = served.get(group, 0) + 1\n",
        killed_by="what the two and the later one heard",
    ),
    Mutant(
        clause="PUB-8.10",
        name="turns-by-name",
        why="of members served equally long ago the first by name is chosen",
        file=PUBLISH,
        old="        return agent.served.get(group, 0), agent.registration\n",
        new="        return agent.served.get(group, 0), sorted(core.agents).index(agent.agent_id)\n",
        killed_by="what alice, charlie, bob heard",
    ),
    Mutant(
        clause="PUB-8.10",
        name="turns-by-arrival",
        why="of members served equally long ago the one known longest is chosen",
        file=PUBLISH,
        old="        return agent.served.get(group, 0), agent.registration\n",
        new="        return agent.served.get(group, 0), list(core.agents).index(agent.agent_id)\n",
        killed_by="what alice, charlie, bob heard",
    ),
    Mutant(
        clause="PUB-8.11",
        name="members-without-filters",
        why="the event types of a member of a group are not looked at",
        file=PUBLISH,
        old="if agent.stream is None or not route.takes(published.type):",
        new="if agent.stream is None or not (route.subscription.group or route.takes(published.type)):",
        killed_by="what the members heard that do not match: expected nothing",
    ),
    Mutant(
        clause="PUB-8.12",
        name="a-turn-for-the-absent",
        why="a member without a stream has its turn too, and the event is lost",
        file=PUBLISH,
        old="    chosen = _choose(core, group, routes)\n",
        new="    for agent in core.agents.values():\n"
        "        if agent.stream is None and group not in agent.served:\n"
        "            agent.served[group] = core.next_serial()\n"
        "            return\n"
        "    chosen = _choose(core, group, routes)\n",
        killed_by="what the only live member heard",
    ),
    Mutant(
        clause="PUB-8.13",
        name="an-echo-for-members",
        why="a member is chosen for its own event although it wants no echo",
        file=PUBLISH,
        old="if route.agent_id == published.publisher and not agent.echo:",
        new="if route.agent_id == published.publisher and not (agent.echo or route.subscription.group):",
        killed_by="echo=false heard of its own events: expected nothing",
    ),
    Mutant(
        clause="PUB-8.14",
        name="no-heirs",
        why="what is queued for a gone member is discarded",
        file=PUBLISH,
        old="    if not copy.groups or (published.expires is not None and published.expires <= core.now):",
        new="    if copy.groups or (published.expires is not None and published.expires <= core.now):",
        killed_by="what the other member got of the lost one: expected .*got \\[\\]",
    ),
    Mutant(
        clause="PUB-8.14",
        name="no-heirs-of-observers",
        why="what is queued for a gone member that also observes is discarded",
        file=PUBLISH,
        old=GIVE,
        new="        only = not any(route.subscription.observer for route in receiver.agent.routes)\n"
        "        groups = tuple(receiver.groups) if only else ()\n"
        "        flow.give(core, target, Copy(published, receiver.qos, groups))\n    matched",
        killed_by="got of the lost one that also observed: expected .*got \\[\\]",
    ),
    Mutant(
        clause="PUB-8.15",
        name="a-second-life",
        why="what goes from a gone member to another lives for ever",
        file=PUBLISH,
        old="        core.count(Counter.COPIES_REROUTED)\n",
        new="        core.count(Counter.COPIES_REROUTED)\n        published.expires = None\n",
        killed_by="got when the short one's time was over",
    ),
    Mutant(
        clause="PUB-8.16",
        name="heirs-of-everything",
        why="what a gone agent heard plainly goes to any group that hears the topic",
        file=PUBLISH,
        old=HEIRS,
        new=HEIRS.replace("not copy.groups or (", "(", 1).replace(
            "group in copy.groups", "group and (not copy.groups or route.subscription.group in copy.groups)"
        ),
        killed_by="an event that the lost one heard plainly",
    ),
]
