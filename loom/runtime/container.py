"""A bridge in Docker as if it were a process of one's own.

    python -m loom.runtime.container [--port N] [--until-stdin-closes] [FLAG]...

It prints `listening on HOST:PORT` on stdout, passes the container's log on to stderr, and ends with it, by
its exit code. The container is removed when this process is told to end, or, if asked for, when its stdin
closes: so it does not outlive a parent that is killed. Should this process itself be killed, the next one
removes what it left.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from loom.errors import BridgeUnavailable
from loom.runtime import docker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from docker.models.containers import Container

__all__ = ["main"]

START_S = 20.0
STOP_S = 12
"""Longer than the bridge's own grace: it may finish what is open."""
LAST_WORDS_S = 2.0


def main(arguments: Sequence[str]) -> int:
    """Runs a container to its end; its exit code, or 1 where there was none."""
    parser = argparse.ArgumentParser("python -m loom.runtime.container")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--until-stdin-closes", action="store_true")
    options, flags = parser.parse_known_args(arguments)
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    if options.until_stdin_closes:
        threading.Thread(target=_watch_stdin, args=(told,), daemon=True).start()
    try:
        return _run(flags, options.port, told)
    except BridgeUnavailable as error:
        print(error.message, file=sys.stderr)  # noqa: T201 (all that is left to say)
        return 1


def _run(flags: Sequence[str], port: int, told: threading.Event) -> int:
    with contextlib.closing(docker.engine()) as client:
        docker.remove_stale(client)
        container = docker.start(client, docker.ensure_image(client, os.environ), flags, port)
        try:
            watched = _Watched(container, told)
            if watched.serving.wait(START_S) and not watched.ended.is_set():
                address = docker.address_of(container)
                # In one piece: the log may go to the same place.
                sys.stdout.write(f"listening on {address}\n")
                sys.stdout.flush()
                told.wait()
            return watched.end()
        finally:
            _remove(container)


class _Watched:
    """A container whose log is passed on and whose end is awaited.

    Attributes:
        serving: it serves, or it has ended.
        ended: it has ended.
    """

    def __init__(self, container: Container, told: threading.Event) -> None:
        self.serving = threading.Event()
        self.ended = threading.Event()
        self._container = container
        self._told = told
        self._code = 1
        self._log = threading.Thread(target=self._pass_on, daemon=True)
        self._log.start()
        threading.Thread(target=self._await_end, daemon=True).start()

    def end(self) -> int:
        """Stops the container if it runs; its exit code."""
        from docker.errors import DockerException
        from requests.exceptions import RequestException

        if not self.ended.is_set():
            with contextlib.suppress(DockerException, RequestException):
                self._container.stop(timeout=STOP_S)
            self.ended.wait(LAST_WORDS_S)
        self._log.join(LAST_WORDS_S)
        return self._code

    def _pass_on(self) -> None:
        from docker.errors import DockerException
        from requests.exceptions import RequestException

        with contextlib.suppress(DockerException, RequestException, OSError):
            for piece in self._container.logs(stream=True, follow=True):
                if not self.serving.is_set() and piece.startswith(b"listening on "):
                    self.serving.set()
                    continue
                sys.stderr.buffer.write(piece)
                sys.stderr.buffer.flush()

    def _await_end(self) -> None:
        from docker.errors import DockerException
        from requests.exceptions import RequestException

        with contextlib.suppress(DockerException, RequestException):
            # Asked from the start: once it is removed nobody knows its exit code.
            self._code = int(self._container.wait(timeout=None)["StatusCode"])
        self.ended.set()
        self.serving.set()
        self._told.set()


def _watch_stdin(told: threading.Event) -> None:
    """Tells when whoever started this is gone."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    told.set()


def _remove(container: Container) -> None:
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException

    with contextlib.suppress(DockerException, RequestException):  # in most cases it is gone by itself
        try:
            container.remove(force=True)
        except APIError:
            # It is being removed: then its port is free for the next one.
            container.wait(timeout=STOP_S, condition="removed")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
