"""Runs a command again whenever the code changes, as `--reload` asks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from loom.cli import console
from loom.cli.exits import Exit, Failure
from loom.cli.lifeline import lifeline

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["require_watchfiles", "run_reloading"]

GRACE = 10.0
"""Seconds that the agents may take to end before they are started again."""


def require_watchfiles() -> None:
    """Refuses where the package that watches files is not installed.

    Raises:
        Failure: it is not.
    """
    if find_spec("watchfiles") is None:
        raise Failure(
            "--reload needs the package watchfiles; `pip install 'loom-py[reload]'` brings it", Exit.USAGE
        )


def run_reloading(arguments: Sequence[str], folder: Path) -> Exit:
    """Runs `loom ARGUMENTS` in a process of its own, again after each change of code below the folder.

    SIGINT and SIGTERM end it and the process. A process that ends by itself is started again at the next
    change.
    """
    from watchfiles import PythonFilter, watch

    stop = threading.Event()
    told: list[int] = []

    def end(number: int, _: object) -> None:
        told.append(number)
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    child = _start(arguments)
    try:
        changes = watch(
            folder,
            watch_filter=PythonFilter(extra_extensions=(".toml",)),
            stop_event=stop,
            raise_interrupt=False,
            rust_timeout=200,
            yield_on_timeout=True,
        )
        ended = False
        for changed in changes:
            if not changed:
                ended = _notice_end(child, ended)
                continue
            names = sorted({os.path.relpath(path, folder) for _, path in changed})
            console.say(click.style(f"changed: {', '.join(names[:3])}; starting again", fg="yellow"))
            _stop(child)
            child, ended = _start(arguments), False
    finally:
        _stop(child)
        for number, handler in before.items():
            signal.signal(number, handler)
    return Exit.INTERRUPTED if signal.SIGINT in told else Exit.OK


def _start(arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C reaches only us, and the process is asked to end once.
    variables, descriptors = lifeline()
    return subprocess.Popen(  # noqa: S603 (this interpreter and our own command line)
        [sys.executable, "-m", "loom.cli", *arguments],
        env={**os.environ, **variables},
        pass_fds=descriptors,
        start_new_session=True,
    )


def _notice_end(child: subprocess.Popen[bytes], told: bool) -> bool:
    """Says once that the process ended by itself."""
    code = child.poll()
    if code is None or told:
        return told
    console.say(click.style(f"ended with exit code {code}; waiting for a change", fg="yellow"))
    return True


def _stop(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
    try:
        child.wait(GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
