"""The protocol as a pure state machine: the heart of the fake bridge, and the twin of the Rust engine.

One engine is one namespace. A message comes in with the time, outputs go out; nothing here does I/O, reads a
clock, draws a random number or awaits. So a trace of inputs replays exactly, time can be virtual, and what
is true of this folder is true of every bridge that replays its traces.

Layout, from the border to the core:

* `inputs`, `outputs`, `messages`: what crosses the border, as data. `trace`: the same as lines of JSON.
* `engine`: `Engine.handle`, which finds the function for each input and timer.
* `registration`, `sessions`, `subscriptions`: who is there and what they hear.
* `publish`, `router`, `flow`, `outbox`: from an event to the copies in its receivers' queues.
* `calls`, `results`: from a call to its one end.
* `drain`, `snapshot`: stopping, and looking inside.
* `states`, `timers`, `counters`, `limits`, `topics`, `event`, `text`: tables and rules the others use.
* `core`, `agent`, `stream`, `call`: the state itself.
"""

from loom_testing.engine.engine import Engine
from loom_testing.engine.limits import Limits

__all__ = ["Engine", "Limits"]
