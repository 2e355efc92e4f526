"""ACT-11: what is callable now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom.v1 import action_pb2
from loom_conformance import Bench, check, expect
from loom_conformance.calling import descriptor

if TYPE_CHECKING:
    from loom_conformance.peer import Peer


async def listed(bench: Bench, peer: Peer, *names: str) -> list[action_pb2.CapabilityDescriptor]:
    """What is listed of these capabilities: where there are no namespaces, those of others are there too."""
    found = await peer.capabilities()
    return found if bench.namespace else [item for item in found if item.name in names]


def named(items: list[action_pb2.CapabilityDescriptor]) -> list[tuple[str, str]]:
    """Names and versions."""
    return [(item.name, item.version) for item in items]


@check("ACT-11.1")
async def everything_callable_is_listed(bench: Bench) -> None:
    """Three capabilities of two agents, with and without a version; one of the agents leaves."""
    a, b, c = (bench.capability(name) for name in "abc")
    await bench.join(bench.id("one"), capabilities=[descriptor(a, "1.0"), descriptor(b)])
    two = await bench.join(bench.id("two"), capabilities=[descriptor(c, "2")])
    peer = bench.peer("caller")
    found = named(await listed(bench, peer, a, b, c))
    expect.equal(sorted(found), [(a, "1.0"), (b, ""), (c, "2")], "what is listed of two agents")
    await two.half_close()
    await two.end()
    found = named(await listed(bench, peer, a, b, c))
    expect.equal(sorted(found), [(a, "1.0"), (b, "")], "what is listed once one of them has left")


@check("ACT-11.2")
async def schemas_are_listed_as_they_are(bench: Bench) -> None:
    """A descriptor with a provider kind, schemas, a description and a key that nobody knows."""
    wanted = action_pb2.CapabilityDescriptor(
        name=bench.capability("c"),
        version="1.0",
        provider=action_pb2.PROVIDER_MCP,
        metadata={
            "input_schema": '{"type": "object", "title": "é"}',
            "output_schema": "{}",
            "description": "Does things.",
            "loom.max_concurrency": "3",
            "x-unknown": "",
        },
    )
    await bench.join(bench.id("provider"), capabilities=[wanted])
    found = await listed(bench, bench.peer("caller"), wanted.name)
    expect.equal(found, [wanted], "what is listed")


@check("ACT-11.3")
async def what_has_no_stream_is_not_listed(bench: Bench) -> None:
    """Registered: not listed. With its stream: listed. Registered again without it: not listed."""
    name = bench.capability("c")
    peer, caller = bench.peer("provider"), bench.peer("caller")
    await peer.register(bench.id("provider"), capabilities=[name])
    expect.nothing(await listed(bench, caller, name), "what is listed before the provider has a stream")
    await peer.stream(bench.id("provider"))
    expect.equal(named(await listed(bench, caller, name)), [(name, "")], "what is listed with its stream")
    await peer.register(bench.id("provider"))
    expect.nothing(await listed(bench, caller, name), "what is listed once the capability is withdrawn")


@check("ACT-11.4")
async def each_version_is_listed_once(bench: Bench) -> None:
    """Three agents offer one capability, two of them in the same version."""
    name = bench.capability("c")
    for who, version in {"one": "1", "two": "2", "three": "1"}.items():
        await bench.join(bench.id(who), capabilities=[descriptor(name, version)])
    found = named(await listed(bench, bench.peer("caller"), name))
    expect.equal(sorted(found), [(name, "1"), (name, "2")], "what is listed")


@check("ACT-11.5")
async def the_list_is_sorted(bench: Bench) -> None:
    """Capabilities offered in another order than that of their names and versions."""
    a, b, c = (bench.capability(name) for name in "abc")
    await bench.join(bench.id("one"), capabilities=[descriptor(c, "1"), descriptor(b, "2")])
    await bench.join(bench.id("two"), capabilities=[descriptor(b, "1"), descriptor(a)])
    found = named(await listed(bench, bench.peer("caller"), a, b, c))
    expect.equal(found, [(a, ""), (b, "1"), (b, "2"), (c, "1")], "what is listed, in order")


@check("ACT-11.6")
async def the_first_registered_speaks_for_a_capability(bench: Bench) -> None:
    """Two agents offer one capability in one version with different descriptions."""
    name = bench.capability("c")
    for who in ("z", "a"):
        item = action_pb2.CapabilityDescriptor(name=name, metadata={"description": who})
        await bench.join(bench.id(who), capabilities=[item])
    found = await listed(bench, bench.peer("caller"), name)
    expect.equal([item.metadata["description"] for item in found], ["z"], "the descriptions that are listed")
