"""`loom-testing tap`: records what happens on a bridge, from the bridge's own trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from loom.cli.console import say
from loom.cli.exits import Exit, Failure, loom_errors
from loom_testing.commands.output import check_place, made_redaction, output_type, redaction_options, write

if TYPE_CHECKING:
    from pathlib import Path

    from loom_testing.transcript.tap import Tap

__all__ = ["command"]


@click.command("tap", short_help="Record what happens on a bridge that was started for testing.")
@click.argument("address", metavar="HOST:PORT")
@click.option("-o", "--output", required=True, type=output_type, help="The transcript.")
@click.option(
    "--namespace",
    metavar="NAME",
    help="What to record; the first namespace in which something happens unless given.",
)
@redaction_options
def command(
    address: str, output: Path, namespace: str | None, keys: tuple[str, ...], values: tuple[str, ...]
) -> None:
    """Record what happens on a bridge that was started for testing.

    It follows the trace of the bridge at HOST:PORT until Ctrl-C, SIGTERM or the bridge's end, then writes
    OUTPUT. Tokens, passwords and keys are never written.

    \b
    Examples:
      loom-testing serve --testing --port 50051 &
      loom-testing tap 127.0.0.1:50051 -o demo.jsonl &
      LOOM_BRIDGE_ADDR=127.0.0.1:50051 make demo

    \b
    Exit codes:
      0    recorded
      1    nothing happened, or OUTPUT cannot be written
      2    an option or the address is malformed
      3    no bridge there, or one that was not started for testing
    """
    import asyncio

    from loom_testing.transcript.tap import Tap

    redaction = made_redaction(keys, values)
    tap = Tap(f"what happened at {address}", virtual=False, redaction=redaction)
    check_place(output)
    with loom_errors():
        followed = asyncio.run(_follow(address, namespace, tap))
    write(tap.recorder.transcript(), output, f" of namespace {followed}")


async def _follow(address: str, namespace: str | None, tap: Tap) -> str:
    """Feeds the tap until told to stop. Answers which namespace it was.

    Raises:
        Failure: there is no such bridge, or it does not tell.
        LoomError: the address is malformed.
    """
    import asyncio
    import contextlib
    import signal

    import grpc.aio

    from loom.channel import open_channel
    from loom.endpoint import Endpoint
    from loom_testing.harness.errors import NoControlError
    from loom_testing.transcript.tapping import begin_watching, caught_up

    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # not on Windows, where Ctrl-C raises instead
            loop.add_signal_handler(number, told.set)
    followed = namespace or ""
    async with open_channel(Endpoint(address)) as channel:
        try:
            lines = await begin_watching(channel, followed, address=address)
        except NoControlError as problem:
            raise Failure(f"{address}: {problem}", Exit.NO_BRIDGE) from None
        say(f"recording {namespace or 'the first namespace in which something happens'}; Ctrl-C ends it")

        async def follow() -> None:
            nonlocal followed
            with contextlib.suppress(grpc.aio.AioRpcError):  # the bridge ended
                async for response in lines:
                    followed = followed or response.namespace
                    if response.namespace == followed:
                        tap.feed(response.line)

        following, stopping = asyncio.create_task(follow()), asyncio.create_task(told.wait())
        try:
            await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if followed and not following.done():
                await caught_up(channel, followed, tap)
        finally:
            lines.cancel()
            for task in (following, stopping):
                task.cancel()
            problems = await asyncio.gather(following, stopping, return_exceptions=True)
        if isinstance(problems[0], Exception):
            raise problems[0]
    return followed
