"""The pytest plugin: a bridge of one's own for each test.

    pytest --loom-bridge=fake|rust|docker|HOST:PORT

The choice may also stand in the ini file (`loom_bridge`) or in the environment (`LOOM_TEST_BRIDGE`); the
option wins over the environment, the environment over the file. By default it is the fake: one process for
the whole run (one for each worker of pytest-xdist), started by the first test that needs it.

Fixtures:
    loom_bridge   a `LoomBridge`: a fresh namespace, with a clock of its own that moves only by `advance`.
    loom_agent    makes agents on that bridge.

They are plain fixtures, so they serve tests under pytest-asyncio (strict and auto), anyio on asyncio, and
plain tests (`loom_bridge.sync`) alike. An async test that asks for one of them and that no other plugin
runs is run by this one.

Marker:
    loom(clock="real", liveness=True, limits={...})   what the test's namespace is like.

This module is loaded into every pytest run where Loom is installed: it imports nothing heavy before a test
asks for a fixture.
"""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any

import pytest

from loom_testing.harness.errors import BridgeChoiceError, HarnessError
from loom_testing.harness.kinds import DEFAULT, KINDS, choose

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from loom import Agent
    from loom_testing.harness.control import NamespaceOptions
    from loom_testing.harness.handle import LoomBridge
    from loom_testing.harness.host import Host
    from loom_testing.harness.kinds import Choice

__all__ = ["loom_agent", "loom_bridge"]

VARIABLE = "LOOM_TEST_BRIDGE"
MARKER = (
    'loom(clock="virtual", liveness=False, limits={}): the namespace that loom_bridge gives this test: '
    'clock="real" for one that runs by itself; limits by the names of loom.v1.Limits.'
)
TIMEOUT_S = "5"
LOG_LINES = 40


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --loom-bridge, --loom-timeout, and their places in the ini file."""
    kinds = "|".join(KINDS)
    group = parser.getgroup("loom", "agents on a Loom bridge")
    group.addoption(
        "--loom-bridge",
        metavar=f"{kinds}|HOST:PORT",
        help=f"the bridge of loom_bridge (also {VARIABLE}; default: {DEFAULT})",
    )
    group.addoption(
        "--loom-timeout",
        metavar="SECONDS",
        help=f"how long a probe waits for what it expects (default: {TIMEOUT_S})",
    )
    parser.addini("loom_bridge", f"the bridge of loom_bridge: {kinds}|HOST:PORT", default="")
    parser.addini("loom_timeout", "how long a probe waits for what it expects, seconds", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Reads the choice, so that a wrong one is told before anything runs."""
    config.addinivalue_line("markers", MARKER)
    try:
        config.stash[_CHOICE] = choose(*_chosen(config))
    except BridgeChoiceError as problem:
        raise pytest.UsageError(str(problem)) from None
    config.stash[_TIMEOUT] = _timeout(config)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Names the bridge where it is not the default."""
    chosen = config.stash[_CHOICE].text
    return None if chosen == DEFAULT else f"loom: bridge {chosen}"


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs an async test that asks for a bridge, where no other plugin does: pytest itself runs none."""
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test) or not {"loom_bridge", "loom_agent"} & set(
        pyfuncitem.fixturenames
    ):
        return None
    import asyncio

    asyncio.run(test(**{name: pyfuncitem.funcargs[name] for name in inspect.signature(test).parameters}))
    return True


def pytest_collection_finish(session: pytest.Session) -> None:
    """Builds the bridge where it must be built: before the first test, and with its progress shown."""
    if not any("loom_bridge" in getattr(item, "fixturenames", ()) for item in session.items):
        return
    from loom.errors import LoomError

    try:
        session.config.stash[_CHOICE].prepare()
    except LoomError as problem:
        # A worker of pytest-xdist cannot end the run: there each test that needs the bridge says so.
        if not hasattr(session.config, "workerinput"):
            raise pytest.UsageError(f"{session.config.stash[_CHOICE].text}: {problem}") from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds to a failed test what the bridge logged meanwhile."""
    report = yield
    seen = item.stash.get(_SEEN, None)
    if seen is not None and report.failed:
        lines = seen[0].log_since(seen[1])[-LOG_LINES:]
        if lines:
            report.sections.append(("Loom bridge log", "\n".join(lines)))
    return report


@pytest.fixture(scope="session")
def _loom_host(pytestconfig: pytest.Config) -> Iterator[Callable[[], Host]]:
    """Gives the run's bridge: started when it is first asked for, and again where it has died."""
    hosts = _Hosts(pytestconfig.stash[_CHOICE])
    yield hosts.get
    hosts.close()


@pytest.fixture
def loom_bridge(
    request: pytest.FixtureRequest, _loom_host: Callable[[], Host], monkeypatch: pytest.MonkeyPatch
) -> Iterator[LoomBridge]:
    """A bridge of one's own: a `LoomBridge` on a fresh namespace, whose clock moves only by `advance`.

    Agents that the test starts by itself, also in processes of their own, find it by `LOOM_BRIDGE_ADDR` and
    `LOOM_NAMESPACE`. Everything left in the namespace ends with the test.
    """
    bridge = _opened(request, _loom_host)
    monkeypatch.setenv("LOOM_BRIDGE_ADDR", bridge.address)
    monkeypatch.setenv("LOOM_NAMESPACE", bridge.namespace)
    for name in ("LOOM_TOKEN", "LOOM_TLS"):  # those of another bridge
        monkeypatch.delenv(name, raising=False)
    yield bridge
    problem = _closed(bridge)
    if problem:
        pytest.fail(problem, pytrace=False)


@pytest.fixture
def loom_agent(loom_bridge: LoomBridge) -> Callable[..., Agent]:
    """Makes agents on the test's bridge: `loom_agent(id, **options)`, the options being those of `Agent`.

    async def test_echo(loom_bridge, loom_agent):
        echo = loom_agent("echo")

        @echo.capability("text.echo")
        def say(text: str) -> str:
            return text

        async with echo:                       # in a plain test: with loom_bridge.sync.run(echo):
            assert await loom_bridge.call("text.echo", text="hello") == "hello"
    """
    from loom import Agent

    def make(id: str, **options: Any) -> Agent:  # noqa: A002 - as of Agent
        return Agent(id, endpoint=loom_bridge.endpoint, **options)

    return make


_CHOICE: pytest.StashKey[Choice] = pytest.StashKey()
_TIMEOUT: pytest.StashKey[float] = pytest.StashKey()
_SEEN: pytest.StashKey[tuple[Host, int]] = pytest.StashKey()


class _Hosts:
    """The bridge of a run: one at a time. A choice that cannot be had is tried once."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._host: Host | None = None
        self._problem = ""

    def get(self) -> Host:
        if self._problem:
            raise HarnessError(self._problem)
        if self._host is not None and self._host.death:
            self.close()
        if self._host is None:
            self._host = self._opened()
        return self._host

    def close(self) -> None:
        host, self._host = self._host, None
        if host is not None:
            host.close()

    def _opened(self) -> Host:
        from loom.errors import LoomError

        host = None
        try:
            host = self._choice.open()
            host.release(host.namespace())
        except (HarnessError, LoomError) as problem:
            self._problem = str(problem)
            if host is not None:
                host.close()
            raise
        return host


def _opened(request: pytest.FixtureRequest, opened_host: Callable[[], Host]) -> LoomBridge:
    """The test's bridge; a test that cannot have it fails with one line."""
    from loom.errors import LoomError
    from loom_testing.harness.handle import LoomBridge

    try:
        host = opened_host()
        request.node.stash[_SEEN] = (host, host.log_mark)
        return LoomBridge(host, _options(request.node), timeout=request.config.stash[_TIMEOUT])
    except (HarnessError, LoomError) as error:
        problem = f"loom_bridge: {error}"
    pytest.fail(problem, pytrace=False)


def _closed(bridge: LoomBridge) -> str:
    """Ends a test's bridge. Answers what went wrong with it."""
    try:
        bridge.close()
    except HarnessError as error:
        return str(error)
    return ""


def _chosen(config: pytest.Config) -> tuple[str, str]:
    """What was chosen, and where."""
    option = config.getoption("--loom-bridge")
    if option is not None:
        return str(option), "--loom-bridge"
    if os.environ.get(VARIABLE):
        return os.environ[VARIABLE], VARIABLE
    return config.getini("loom_bridge") or DEFAULT, "loom_bridge in the ini file"


def _timeout(config: pytest.Config) -> float:
    text = str(config.getoption("--loom-timeout") or config.getini("loom_timeout") or TIMEOUT_S)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise pytest.UsageError(f"--loom-timeout (or loom_timeout) is {text!r}: give seconds above 0")
    return seconds


def _options(node: pytest.Item) -> NamespaceOptions:
    """What the test's markers say of its namespace; the nearest wins."""
    from loom_testing.harness.control import NamespaceOptions

    said: dict[str, Any] = {}
    for marker in node.iter_markers("loom"):
        if marker.args:
            raise HarnessError(f"@pytest.mark.loom takes names only: {MARKER.partition(':')[0]}")
        said = {**marker.kwargs, **said}
    clock = said.pop("clock", "virtual")
    liveness, limits = said.pop("liveness", False), said.pop("limits", {})
    if said or clock not in ("virtual", "real"):
        wrong = f"{next(iter(said))}=" if said else f"clock={clock!r}"
        raise HarnessError(f"@pytest.mark.loom does not take {wrong}: {MARKER.partition(':')[0]}")
    return NamespaceOptions(virtual=clock == "virtual", liveness=bool(liveness), limits=dict(limits))
