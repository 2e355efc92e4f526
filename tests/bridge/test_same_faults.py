"""The same faults by the same seed: the same transcript, in every run and on every kind of bridge.

`pytest --snapshot-update` writes the kept one anew.
"""

from __future__ import annotations

import pytest

from loom.errors import LoomError
from tests.bridge.weather import PAUSE_S, make

SCRIPT = {
    "seed": 7,
    "fault": [
        {"do": "drop", "agent": "greeter", "kind": "delivery", "nth": 2},
        {"do": "duplicate", "agent": "greeter", "kind": "delivery", "nth": 3},
        {"do": "delay", "seconds": 2.5, "agent": "probe", "kind": "delivery", "probability": 0.4},
        {"do": "drop", "agent": "greeter", "kind": "publish", "probability": 0.3},
        {"do": "fail", "status": "INTERNAL", "capability": "wording", "nth": 2},
        {"do": "corrupt", "how": "garbage", "agent": "greeter", "kind": "action_result", "nth": 2},
        {"do": "disconnect", "agent": "greeter", "kind": "delivery", "nth": 9},
    ],
}
VISITS = 10


async def test_the_same_script_gives_the_same_transcript(loom_bridge, loom_snapshot):
    async with loom_bridge.run(make()), loom_bridge.probe() as probe:
        with loom_bridge.faults.script(SCRIPT):
            for number in range(VISITS):
                await probe.emit("visitor.arrived", str(number))
                await loom_bridge.advance(5)
            assert await probe.call("wording", name="1") == "hi 1"
            with pytest.raises(LoomError):
                await probe.call("wording", name="2")
            await loom_bridge.settle()
            with pytest.raises(LoomError):
                await probe.call("wording", name="3")
            await loom_bridge.advance(PAUSE_S)
        assert await probe.call("wording", name="4") == "hi 4"
        await loom_bridge.settle()
        assert await loom_bridge.transcript() == loom_snapshot
