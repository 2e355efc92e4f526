"""`Agent`: what it hears, what it offers, and its life from start to stop."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import TYPE_CHECKING, Any, Self, TypeVar

from loom.capability import Capability
from loom.client import BridgeClient
from loom.codes import Code
from loom.config import Settings
from loom.endpoint import Endpoint
from loom.envelope import Envelope
from loom.errors import DefinitionError, NotConnected
from loom.handler import Handler
from loom.memory import LocalMemory, open_memory
from loom.registration import Registration, Subscription, merged
from loom.runtime.choose import find_bridge
from loom.topics import agent_id_problem, pattern_problem
from loom.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from loom.clock import Clock
    from loom.context import Context
    from loom.memory import Memory
    from loom.registration import QoS

__all__ = ["Agent"]

F = TypeVar("F", bound="Callable[..., Any]")

DEFAULT_GRACE_S = 5.0


class Agent:
    """One agent.

        agent = Agent("researcher")

        @agent.on("paper.submitted")
        async def read(ctx: Context, paper: Paper) -> None: ...

        @agent.capability("web.search")
        async def search(query: str, limit: int = 5) -> list[Hit]: ...

        agent.run()

    Args:
        id: its id: a wildcard-free topic of at most 128 bytes (REG-1).
        endpoint: the bridge, as `host:port` or an `Endpoint`; None for what the settings say.
        settings: instead of those of the environment and `loom.toml`.
        memory: what it remembers in; None for the store that the settings name. A store given here is not
            closed by `stop`.
        max_parallel: how many events it handles at once; None for what the settings say (64).
        replicas: this process is one of several: it gets an id of its own, `id:random`, and all of its
            subscriptions go to the queue group `id`, so that each event reaches one of them.
        echo: whether it receives what it publishes itself (PUB-1).
        metadata: about it, for people and tools.

    Raises:
        DefinitionError: the id is malformed, or `max_parallel` is below 1.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 (the agent's id is called so everywhere)
        *,
        endpoint: str | Endpoint | None = None,
        settings: Settings | None = None,
        memory: Memory | None = None,
        max_parallel: int | None = None,
        replicas: bool = False,
        echo: bool = True,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self.name = id
        self.id = f"{id}:{secrets.token_hex(4)}" if replicas else id
        problem = agent_id_problem(self.id)
        if problem:
            raise DefinitionError(f"{id[:140]!r} is not an agent id: {problem}", code=Code.INVALID_AGENT_ID)
        if max_parallel is not None and max_parallel < 1:
            raise DefinitionError(f"max_parallel of {id} is {max_parallel}: give a whole number from 1")
        self._group = id if replicas else ""
        self._endpoint = endpoint
        self._settings = settings
        self._memory = memory
        self._own_memory: Memory | None = None
        self._max_parallel = max_parallel
        self._echo = echo
        self._metadata = dict(metadata or {})
        self._subscriptions: list[Subscription] = []
        self._handlers: list[Handler] = []
        self._capabilities: dict[str, Capability[..., Any]] = {}
        self._counts: Counter[str] = Counter()
        self._worker: Worker | None = None
        self._is_starting = False

    def __repr__(self) -> str:
        return f"Agent({self.id!r})"

    # Declaration.

    def on(
        self,
        topic: str,
        *,
        types: Iterable[str] = (),
        group: str = "",
        qos: QoS | None = None,
        observer: bool = False,
    ) -> Callable[[F], F]:
        """Declares a handler for the events of a topic.

        The function takes `(ctx, payload)`, `(payload)`, `(ctx)` or nothing. The payload's annotation says
        what it gets: a model, a dataclass, `dict`, `list` or scalars (validated JSON), `str`, `bytes`,
        `Event` (the raw event); none means plain data. It may be synchronous; it then runs in a thread.

        Args:
            topic: the pattern: `*` for one token, a last `>` for one or more (PUB-2).
            types: only events of these types.
            group: the queue group: each event goes to one of its members (PUB-8).
            qos: what happens when this agent cannot keep up.
            observer: see events without being counted as a receiver (PUB-9).

        Raises:
            DefinitionError: the topic, the options or the function's signature are malformed, or the agent
                runs already.
        """
        subscription = self._subscription(topic, types, group, qos, observer)

        def declare(function: F) -> F:
            self._declare(Handler.of(function, subscription))
            self._subscriptions.append(subscription)
            return function

        return declare

    def on_event(self, function: F) -> F:
        """Declares a handler for every event this agent receives, raw: `(event)`, `(ctx, event)`.

        It subscribes to nothing by itself; `on` and `subscribe` do.

        Raises:
            DefinitionError: the function's signature is malformed, or the agent runs already.
        """
        self._declare(Handler.of(function, None))
        return function

    def subscribe(
        self,
        topic: str,
        *,
        types: Iterable[str] = (),
        group: str = "",
        qos: QoS | None = None,
        observer: bool = False,
    ) -> None:
        """Hears a topic without a handler of its own, for `on_event`. The arguments are those of `on`.

        Raises:
            DefinitionError: they are malformed, or the agent runs already.
        """
        self._check_declaring()
        self._subscriptions.append(self._subscription(topic, types, group, qos, observer))

    def capability(
        self,
        name: str,
        *,
        version: str = "",
        max_concurrency: int | None = None,
        description: str | None = None,
        timeout: float | None = None,
    ) -> Callable[[F], F]:
        """Declares a function as a capability of this agent; the function stays what it is.

        The arguments are those of `Capability`.

        Raises:
            DefinitionError: the function cannot be described, the name is taken, or the agent runs already.
        """

        def declare(function: F) -> F:
            self.add(
                Capability(
                    function,
                    name,
                    version=version,
                    max_concurrency=max_concurrency,
                    description=description,
                    timeout=timeout,
                )
            )
            return function

        return declare

    def add(self, capability: Capability[..., Any], *more: Capability[..., Any]) -> Self:
        """Offers capabilities that were made with `loom.capability`.

        Raises:
            DefinitionError: a name is taken, something is no Capability, or the agent runs already.
        """
        self._check_declaring()
        for item in (capability, *more):
            if not isinstance(item, Capability):
                raise DefinitionError(
                    f"{self.name} was given a {type(item).__name__} as capability: decorate it with "
                    "loom.capability(name), or use agent.capability(name)"
                )
            if item.name in self._capabilities:
                raise DefinitionError(f"{self.name} offers {item.name} twice: give one of them another name")
            self._capabilities[item.name] = item
        return self

    # Life.

    @property
    def is_running(self) -> bool:
        """Whether it was started, and neither stopped nor ended for good, as by `Superseded`."""
        return self._worker is not None and not self._worker.is_over

    @property
    def counts(self) -> Mapping[str, int]:
        """What happened since it was made: handled, handler_errors, calls_answered, calls_failed,
        calls_cancelled, calls_made, published, expired (requests given up because nobody waited any more).
        """
        return dict(self._counts)

    async def start(self, endpoint: str | Endpoint | None = None) -> None:
        """Finds the bridge, registers, and handles what comes from then on.

        Args:
            endpoint: the bridge, before what was said elsewhere.

        Raises:
            ConfigError: a setting is malformed, or no bridge is named and none may be started.
            BridgeUnavailable: no bridge answered within `Settings.connect_timeout`.
            BridgeError: the bridge refused this agent.
            NotConnected: it runs already.
        """
        if self.is_running or self._is_starting:
            raise NotConnected(f"{self.id} runs already: stop it first")
        self._is_starting = True
        try:
            if self._worker is not None:  # it has ended by itself
                await self._worker.stop(0)
                await self._forget()
            await self._start(self._endpoint if endpoint is None else endpoint)
        except BaseException:
            await self._forget()
            raise
        finally:
            self._is_starting = False

    async def stop(self, grace: float = DEFAULT_GRACE_S) -> None:
        """Takes nothing new, finishes what is open, and leaves. Stopping what is stopped does nothing.

        Args:
            grace: seconds for what is open; what is left then is cancelled, and who waits for it told.

        Raises:
            NotConnected: this is another event loop than the one it was started on.
        """
        worker = self._worker
        if worker is None:
            return
        worker.check_loop()
        await worker.stop(grace)
        if self._worker is worker:
            await self._forget()

    async def wait(self) -> None:
        """Waits until the agent was stopped.

        Raises:
            Superseded: another process took over its id; final.
            BridgeError: what else ended it for good.
            NotConnected: it was not started.
        """
        await self._running().wait_ended()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    def run(self, endpoint: str | Endpoint | None = None, *, grace: float = DEFAULT_GRACE_S) -> None:
        """Starts the agent and blocks until it ends; SIGINT and SIGTERM stop it in order.

        Raises:
            LoomError: it could not start, or what ended it.
        """
        from loom.runner import run

        run(self, endpoint=endpoint, grace=grace)

    def context(self, thread_id: str | None = None) -> Context:
        """A Context outside of any handler: to emit, request and call as this agent.

        Everything that one Context sends belongs to one thread of work, which receivers handle in order, one
        after the other. What may be handled in parallel needs a Context of its own.

        Args:
            thread_id: the thread of work; None begins one.

        Raises:
            NotConnected: the agent does not run, or lives on another event loop.
        """
        thread = secrets.token_hex(8) if thread_id is None else thread_id
        return self._running().context(Envelope(thread_id=thread, sender=self.id))

    # Inside.

    def _running(self) -> Worker:
        if self._worker is None:
            raise NotConnected(
                f"{self.id} does not run: start it first (`async with agent:`, or agent.run())"
            )
        self._worker.check_loop()
        return self._worker

    async def _start(self, chosen: str | Endpoint | None) -> None:
        settings = self._settings or Settings.load(address=chosen if isinstance(chosen, str) else None)
        bridge = await find_bridge(settings, chosen)
        client = BridgeClient(bridge.endpoint, again=bridge.again)
        memory = self._memory
        if memory is None:
            memory = self._own_memory = _open_memory(settings.memory, client.clock)
        self._worker = Worker(
            self._registration(),
            client,
            handlers=self._handlers,
            capabilities=self._capabilities,
            memory=memory,
            max_parallel=self._max_parallel or settings.max_parallel,
            counts=self._counts,
        )
        await self._worker.start(settings.connect_timeout)

    async def _forget(self) -> None:
        self._worker = None
        memory, self._own_memory = self._own_memory, None
        if memory is not None:
            await memory.close()

    def _declare(self, handler: Handler) -> None:
        self._check_declaring()
        self._handlers.append(handler)

    def _check_declaring(self) -> None:
        if self.is_running or self._is_starting:
            raise DefinitionError(
                f"{self.id} runs already: declare handlers and capabilities before its start"
            )

    def _subscription(
        self, topic: str, types: Iterable[str], group: str, qos: QoS | None, observer: bool
    ) -> Subscription:
        what = f"the subscription of {self.name} to {topic[:80]!r}"
        problem = pattern_problem(topic)
        if problem:
            raise DefinitionError(f"{what} is malformed: {problem}", code=Code.INVALID_SUBSCRIPTION)
        if isinstance(types, str):
            types = (types,)
        group = group or ("" if observer else self._group)
        if group and observer:
            raise DefinitionError(
                f"{what} is an observer in a group: choose one", code=Code.INVALID_SUBSCRIPTION
            )
        return Subscription(topic, tuple(types), group, qos, observer)

    def _registration(self) -> Registration:
        return Registration(
            self.id,
            merged(self._subscriptions),
            tuple(item.descriptor() for item in self._capabilities.values()),
            self._metadata,
            self._echo,
        )


def _open_memory(spec: str, clock: Clock) -> Memory:
    # The default needs no look through what is installed.
    return LocalMemory(clock=clock.now) if spec == "local" else open_memory(spec)
