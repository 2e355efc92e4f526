"""The processes that a command starts."""

from __future__ import annotations

import signal
import sys

from loom.cli.processes import LONGEST_LINE, Child


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


async def test_lines_and_the_exit_code() -> None:
    child = await Child.start("it", python("print(1); print(2); raise SystemExit(3)"), merged=True)
    lines: list[str] = []
    assert await child.forward(lines.append) == 3
    assert lines == ["1", "2"]


async def test_complaints_are_kept_apart_unless_merged() -> None:
    program = python("import sys; print('out'); print('err', file=sys.stderr)")
    child = await Child.start("it", program, merged=False)
    assert await child.line() == "out\n"
    assert await child.complaints() == "err"
    assert await child.wait() == 0
    merged = await Child.start("it", program, merged=True)
    lines: list[str] = []
    await merged.forward(lines.append)
    assert sorted(lines) == ["err", "out"]
    assert await merged.complaints() == ""


async def test_a_line_without_end_is_left_out() -> None:
    child = await Child.start("it", python(f"print('x' * {2 * LONGEST_LINE}); print('after')"), merged=True)
    lines: list[str] = []
    await child.forward(lines.append)
    assert lines[0].startswith("(a line of more than a mebibyte")
    assert lines[-1] == "after"


async def test_one_that_listens_ends_in_order() -> None:
    program = "import signal, time; signal.signal(15, lambda *_: exit(7)); print('ready'); time.sleep(60)"
    child = await Child.start("it", python(program), merged=True)
    assert await child.line() == "ready\n"
    await child.stop(30.0)
    assert await child.wait() == 7
    await child.stop(30.0)


async def test_one_that_does_not_listen_is_ended() -> None:
    program = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready'); time.sleep(60)"
    child = await Child.start("it", python(program), merged=True)
    assert await child.line() == "ready\n"
    await child.stop(0.05)
    assert await child.wait() == -signal.SIGKILL


async def test_one_whose_stdin_is_held_reads_on_until_it_is_ended() -> None:
    program = "import sys; print('ready'); sys.stdin.read()"
    child = await Child.start("it", python(program), held=True)
    assert await child.line() == "ready\n"
    await child.stop(30.0)
    other = await Child.start("it", python(program))
    assert await other.line() == "ready\n"
    assert await other.wait() == 0
