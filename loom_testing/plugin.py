"""The pytest plugin: a bridge of one's own for each test.

    pytest --loom-bridge=fake|memory|rust|docker|HOST:PORT

The choice may also stand in the ini file (`loom_bridge`) or in the environment (`LOOM_TEST_BRIDGE`); the
option wins over the environment, the environment over the file. By default it is the fake: one process for
the whole run (one for each worker of pytest-xdist), started by the first test that needs it.

Fixtures:
    loom_bridge   a `LoomBridge`: a fresh namespace, with a clock of its own that moves only by `advance`.
    loom_agent    makes agents on that bridge.
    loom_snapshot compares a transcript with a kept one; needs syrupy (`pip install "loom-py[snapshots]"`).

They are plain fixtures, so they serve tests under pytest-asyncio (strict and auto), anyio on asyncio, and
plain tests (`loom_bridge.sync`) alike. An async test that asks for one of them and that no other plugin
runs is run by this one.

Marker:
    loom(clock="real", liveness=True, limits={...})   what the test's namespace is like.
    loom(clock="auto")                                its clock moves to what all agents wait for.
    loom(leaks=True, deadline=300)                    it may leave things behind, and take its time.
    loom(faults=True, process=True)                   it injects faults, it kills its bridge; found by itself
                                                      where the test's own code says so.

A test that hangs is cut, and told what it was waiting for. One that passes and leaves an agent, a call, a
task, a thread, a process or a container behind fails, and says which.

This module is loaded into every pytest run where Loom is installed: it imports nothing heavy before a test
asks for a fixture.
"""

from __future__ import annotations

import functools
import inspect
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loom_testing.harness.errors import BridgeChoiceError, HarnessError
from loom_testing.harness.kinds import DEFAULT, KINDS, choose
from loom_testing.harness.marker import MARKER, options_of, said_by
from loom_testing.harness.needs import FAULTS, PROCESS, used_by
from loom_testing.harness.seed import HANDED, SEED, SEED_VARIABLE, seed_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from loom import Agent
    from loom_testing.harness.census import Census
    from loom_testing.harness.deadline import Deadline
    from loom_testing.harness.handle import LoomBridge
    from loom_testing.harness.host import Host
    from loom_testing.harness.kinds import Choice

__all__ = ["loom_agent", "loom_bridge", "loom_snapshot"]

VARIABLE = "LOOM_TEST_BRIDGE"
TIMEOUT_S = "5"
DEADLINE_S = "60"
LOG_LINES = 40


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --loom-bridge, --loom-timeout, --loom-deadline, and their places in the ini file."""
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
    group.addoption(
        "--loom-deadline",
        metavar="SECONDS",
        help=f"how long a test may take before it is cut and explained (default: {DEADLINE_S})",
    )
    group.addoption(
        "--loom-seed",
        metavar="NUMBER|random",
        help=f"where the chance of faults comes from (also {SEED_VARIABLE}; default: {SEED})",
    )
    group.addoption(
        "--loom-record",
        metavar="DIR",
        help="write the transcript of each test with a bridge into this folder",
    )
    parser.addini("loom_bridge", f"the bridge of loom_bridge: {kinds}|HOST:PORT", default="")
    parser.addini("loom_timeout", "how long a probe waits for what it expects, seconds", default="")
    parser.addini("loom_deadline", "how long a test with a bridge may take, seconds", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Reads the choice, so that a wrong one is told before anything runs."""
    config.addinivalue_line("markers", MARKER)
    try:
        config.stash[_CHOICE] = choose(*_chosen(config))
    except BridgeChoiceError as problem:
        raise pytest.UsageError(str(problem)) from None
    config.stash[_TIMEOUT] = _seconds(config, "timeout", TIMEOUT_S)
    _seconds(config, "deadline", DEADLINE_S)
    config.stash[_SEED] = seed_of(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hands a worker of pytest-xdist the seed: it reads the command line anew, and would draw another."""
    node.workerinput[HANDED] = node.config.stash[_SEED]


def pytest_report_header(config: pytest.Config) -> str | None:
    """Names the bridge and the seed where they are not the default."""
    chosen, seed = config.stash[_CHOICE].text, config.stash[_SEED]
    said = [f"bridge {chosen}"] if chosen != DEFAULT else []
    said += [f"seed {seed}"] if str(seed) != SEED else []
    return f"loom: {', '.join(said)}" if said else None


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


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Runs a test that has a bridge under its deadline, and notes the loop of one that is async."""
    bridge: LoomBridge | None = getattr(item, "funcargs", {}).get("loom_bridge")
    if bridge is None or not isinstance(item, pytest.Function):
        return (yield)
    from loom_testing.harness.deadline import Deadline
    from loom_testing.harness.forgotten import Forgotten
    from loom_testing.harness.hang import explained

    __tracebackhide__ = True
    (seconds, applied), thread = _deadline(item), threading.get_ident()
    deadline = Deadline(
        seconds, lambda: explained(bridge, seconds, thread, task=deadline.task, applied=applied)
    )
    if inspect.iscoroutinefunction(item.obj):
        item.obj = _noted(item.obj, deadline, bridge, item)
    item.config.stash[_DEADLINE] = deadline
    with deadline, Forgotten() as forgotten:
        result = yield
    if forgotten.noted and not said_by(item).get("leaks", False):
        pytest.fail("\n".join(forgotten.noted), pytrace=False)
    return result


def pytest_enter_pdb(config: pytest.Config) -> None:
    """Somebody looks at a test: it may take as long as it likes."""
    if _DEADLINE in config.stash:
        config.stash[_DEADLINE].lift()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds to a failed test what the bridge logged meanwhile, and what crossed it."""
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or call.excinfo is not None
    seen = item.stash.get(_SEEN, None)
    if seen is not None and report.failed:
        lines = seen[0].log_since(seen[1])[-LOG_LINES:]
        if lines:
            report.sections.append(("Loom bridge log", "\n".join(lines)))
        bridge: LoomBridge | None = getattr(item, "funcargs", {}).get("loom_bridge")
        if bridge is not None and report.when == "call":
            from loom_testing.harness.transcribing import tail_of

            report.sections.append(("Loom transcript", tail_of(bridge)))
            if bridge.space.proxy is not None and bridge.space.proxy.rules.used_chance:
                seed = item.config.stash[_SEED]
                report.sections.append(("Loom faults", f"left to chance: repeat with --loom-seed={seed}"))
    return report


@pytest.fixture(scope="session")
def _loom_host(pytestconfig: pytest.Config) -> Iterator[Callable[[bool], Host]]:
    """Gives the run's bridge: started when it is first asked for, and again where it has died.

    One in memory has another beside it, for tests that need one which a proxy reaches.
    """
    from loom_testing.harness.hosts import Hosts

    choice = pytestconfig.stash[_CHOICE]
    hosts = Hosts(choice.open)
    reached = hosts if choice.open_reached is None else Hosts(choice.open_reached)
    yield lambda proxied: (reached if proxied else hosts).get()
    hosts.close()
    reached.close()


@pytest.fixture
def loom_bridge(
    request: pytest.FixtureRequest, _loom_host: Callable[[bool], Host], monkeypatch: pytest.MonkeyPatch
) -> Iterator[LoomBridge]:
    """A bridge of one's own: a `LoomBridge` on a fresh namespace, whose clock moves only by `advance`.

    Agents that the test starts by itself, also in processes of their own, find it by `LOOM_BRIDGE_ADDR` and
    `LOOM_NAMESPACE`. Everything left in the namespace ends with the test.
    """
    from loom_testing.harness.census import Census
    from loom_testing.harness.tasks import forget_loops

    bridge = _opened(request, _loom_host)
    before = Census.taken()
    forget_loops()
    monkeypatch.setenv("LOOM_BRIDGE_ADDR", bridge.address)
    monkeypatch.setenv("LOOM_NAMESPACE", bridge.namespace)
    for name in ("LOOM_TOKEN", "LOOM_TLS"):  # those of another bridge
        monkeypatch.delenv(name, raising=False)
    yield bridge
    unfired = _unfired(bridge, request.node)
    unrecorded = _recorded(bridge, request)
    left = _left(bridge, before, request.node)
    may_hold = bool(left or request.node.stash.get(_FAILED, False) or said_by(request.node).get("leaks"))
    if may_hold:
        from loom_testing.harness.leavings import end_agents

        bridge.end_beside()
        end_agents(bridge.namespace)
    problem = _closed(bridge, at_once=may_hold) or left or unfired or unrecorded
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


@pytest.fixture
def loom_snapshot(request: pytest.FixtureRequest) -> Any:
    """The test's kept transcript: `assert await loom_bridge.transcript() == loom_snapshot`.

    `pytest --snapshot-update` writes it anew. The rest is syrupy's.
    """
    try:
        from loom_testing.transcript.snapshots import TranscriptExtension
    except ModuleNotFoundError:
        pytest.fail('loom_snapshot needs syrupy: pip install "loom-py[snapshots]"', pytrace=False)
    return request.getfixturevalue("snapshot").use_extension(TranscriptExtension)


_CHOICE: pytest.StashKey[Choice] = pytest.StashKey()
_TIMEOUT: pytest.StashKey[float] = pytest.StashKey()
_SEEN: pytest.StashKey[tuple[Host, int]] = pytest.StashKey()
_DEADLINE: pytest.StashKey[Deadline] = pytest.StashKey()
_FAILED: pytest.StashKey[bool] = pytest.StashKey()
_CALLS: pytest.StashKey[list[str]] = pytest.StashKey()
_SEED: pytest.StashKey[int] = pytest.StashKey()


def _opened(request: pytest.FixtureRequest, opened_host: Callable[[bool], Host]) -> LoomBridge:
    """The test's bridge; a test that cannot have it fails with one line."""
    from loom.errors import LoomError
    from loom_testing.harness.handle import LoomBridge
    from loom_testing.harness.own import OwnHost

    own: Host | None = None
    try:
        said, used = said_by(request.node), used_by(request.node)
        options, config = options_of(request.node), request.config
        faults = bool(said.get("faults", FAULTS in used))
        if said.get("process", PROCESS in used):
            choice = config.stash[_CHOICE]
            own = OwnHost(choice.open_reached or choice.open)
        host = own or opened_host(faults)
        request.node.stash[_SEEN] = (host, host.log_mark)
        bridge = LoomBridge(
            host,
            options,
            timeout=config.stash[_TIMEOUT],
            faults=faults,
            seed=config.stash[_SEED],
        )
    except (HarnessError, LoomError) as error:
        problem = f"loom_bridge: {error}"
        if own is not None:
            own.close()
    else:
        bridge.about = request.node.name
        return bridge
    pytest.fail(problem, pytrace=False)


def _noted(
    test: Callable[..., Any], deadline: Deadline, bridge: LoomBridge, item: pytest.Item
) -> Callable[..., Any]:
    """The test, on a loop that is noted, in a task that the deadline knows."""

    @functools.wraps(test)
    async def noted(*args: Any, **kwargs: Any) -> Any:
        import asyncio

        from loom.threads import run_in_thread
        from loom_testing.harness.leaks import calls_in
        from loom_testing.harness.tasks import leaves_tasks, let_end, note_loop

        __tracebackhide__ = True
        try:
            note_loop()
            deadline.watch(asyncio.current_task())
        except RuntimeError:  # another kind of loop
            return await test(*args, **kwargs)
        result = await test(*args, **kwargs)
        await let_end()
        if leaves_tasks():
            item.stash[_CALLS] = await run_in_thread(calls_in, bridge)
        return result

    return noted


def _left(bridge: LoomBridge, before: Census, node: pytest.Item) -> str:
    """What a test that passed leaves behind, where it may not."""
    if node.stash.get(_FAILED, False) or said_by(node).get("leaks", False):
        return ""
    from loom_testing.harness.leaks import left_behind

    calls: list[str] = node.stash.setdefault(_CALLS, [])
    return left_behind(bridge, before, calls)


def _unfired(bridge: LoomBridge, node: pytest.Item) -> str:
    """What a test that passed expected to go wrong, and did not: faults that nobody ended, or began."""
    if node.stash.get(_FAILED, False) or bridge.space.proxy is None:
        return ""
    try:
        bridge.space.proxy.rules.finish()
    except HarnessError as error:
        return str(error)
    return ""


def _recorded(bridge: LoomBridge, request: pytest.FixtureRequest) -> str:
    """Writes the test's transcript where --loom-record says so. Answers what went wrong with that."""
    folder = request.config.getoption("--loom-record")
    if folder is None:
        return ""
    from loom_testing.harness.transcribing import keep_transcript

    return keep_transcript(bridge, request.node.nodeid, Path(folder))


def _closed(bridge: LoomBridge, *, at_once: bool) -> str:
    """Ends a test's bridge. Answers what went wrong with it."""
    try:
        bridge.close(at_once=at_once)
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


def _seconds(config: pytest.Config, name: str, default: str) -> float:
    """What an option of so many seconds says, or its place in the ini file."""
    text = str(config.getoption(f"--loom-{name}") or config.getini(f"loom_{name}") or default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise pytest.UsageError(f"--loom-{name} (or loom_{name}) is {text!r}: give seconds above 0")
    return seconds


def _deadline(node: pytest.Item) -> tuple[float, str]:
    """How long the test may take, seconds, and where that was said."""
    said, config = said_by(node).get("deadline"), node.config
    if said:
        return float(said), f"deadline={said} of its marker"
    seconds = _seconds(config, "deadline", DEADLINE_S)
    if config.getoption("--loom-deadline"):
        return seconds, "--loom-deadline"
    if config.getini("loom_deadline"):
        return seconds, "loom_deadline in the ini file"
    return seconds, "the default; --loom-deadline, or @pytest.mark.loom(deadline=...)"
