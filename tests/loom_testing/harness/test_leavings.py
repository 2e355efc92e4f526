import asyncio

from loom import Agent
from loom_testing.harness.leavings import end_agents


def left(loop, bridge) -> Agent:
    agent = Agent("left")
    loop.run_until_complete(agent.start(bridge.endpoint))
    return agent


def test_an_agent_on_a_loop_that_is_still_there_is_stopped(loom_bridge):
    loop = asyncio.new_event_loop()
    agent = left(loop, loom_bridge)
    end_agents("another")
    assert agent.is_running
    end_agents(loom_bridge.namespace)
    assert not agent.is_running
    assert loom_bridge.sync.snapshot().agents == {}
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def test_an_agent_whose_loop_is_closed_is_forgotten(loom_bridge):
    with asyncio.Runner() as runner:
        agent = left(runner.get_loop(), loom_bridge)
    end_agents(loom_bridge.namespace)
    assert not agent.is_running
    with loom_bridge.sync.run(agent):
        assert agent.is_running
