import signal
import sys

import pytest

from loom_conformance import program as programs
from loom_conformance.program import CannotStart, Program


def python(code):
    return [sys.executable, "-c", code]


@pytest.mark.parametrize(
    "line", ["listening on 127.0.0.1:77", '{"event": "serving", "address": "127.0.0.1:77"}']
)
async def test_it_says_where_it_listens(line):
    code = f"import sys; print('starting'); print({line!r}, flush=True); sys.stdin.read()"
    program = await Program.started(python(code))
    assert program.address == "127.0.0.1:77"
    assert await program.wait(0) is None
    program.signal(signal.SIGKILL)
    assert await program.wait(10) == -signal.SIGKILL
    program.signal(signal.SIGTERM)
    await program.close()


async def test_one_that_ends_cannot_be_started():
    with pytest.raises(CannotStart, match="the bridge ended with 3; it said: no luck"):
        await Program.started(python("print('no luck'); raise SystemExit(3)"))


async def test_one_that_is_not_there_cannot_be_started():
    with pytest.raises(CannotStart, match="no-such-bridge: No such file"):
        await Program.started(["no-such-bridge"])


async def test_one_that_does_not_say_where_it_listens_is_given_up(monkeypatch):
    monkeypatch.setattr(programs, "START_S", 0.5)
    with pytest.raises(CannotStart, match="did not say where it listens"):
        await Program.started(python("import sys; sys.stdin.read()"))


async def test_one_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(programs, "STOP_S", 0.2)
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('listening on h:1', flush=True); signal.pause(); signal.pause()"
    )
    program = await Program.started(python(code))
    await program.close()
    assert await program.wait(0) == -signal.SIGKILL


async def test_what_it_says_never_fills_its_pipe():
    code = (
        "print('listening on h:1', flush=True)\nfor n in range(50000): print('x' * 50)\nraise SystemExit(4)"
    )
    program = await Program.started(python(code))
    assert await program.wait(30) == 4
    await program.close()
