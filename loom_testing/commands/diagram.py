"""`loom-testing diagram`: a transcript as a sequence diagram."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from loom.cli.console import colour_wanted, say
from loom.cli.exits import Exit, Failure

if TYPE_CHECKING:
    from loom_testing.transcript import Transcript

__all__ = ["command"]

WIDTH = 100
MOST_ROWS = 400
ENDINGS = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".txt": "text", "": "text"}
"""What a file's ending says is to be drawn."""


@click.command("diagram", short_help="Draw a transcript as a sequence diagram.")
@click.argument("file", type=click.Path(allow_dash=True, dir_okay=False))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "mermaid", "svg"]),
    help="What to draw; by the ending of --output (.svg, .mmd, .txt), else text.",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Where to; stdout unless given."
)
@click.option("--full", is_flag=True, help="Every entry by itself, handshakes and receipts too.")
@click.option("--agent", "agents", multiple=True, metavar="NAME", help="Only these agents. May be repeated.")
@click.option(
    "--rows",
    type=click.IntRange(2),
    default=MOST_ROWS,
    show_default=True,
    help="How many rows; of more the middle is left out.",
)
@click.option("--width", type=click.IntRange(60), help="Columns of text; the terminal's unless given.")
def command(
    file: str,
    form: str | None,
    output: Path | None,
    full: bool,
    agents: tuple[str, ...],
    rows: int,
    width: int | None,
) -> None:
    """Draw a transcript as a sequence diagram.

    FILE is a transcript as recordings give them, or a bridge's trace; - is stdin.

    \b
    Examples:
      loom-testing diagram order.jsonl
      loom-testing diagram order.jsonl -o order.svg
      loom-testing diagram order.jsonl --agent shop --full | less -R

    \b
    Exit codes:
      0    drawn
      2    FILE is no transcript or of another version, or nothing is drawn that ends as --output does
      130  interrupted (Ctrl-C)
    """
    from loom_testing.transcript import draw

    kind = form or _form_of(output)
    transcript = _only(_read(file), agents)
    colour = _colour() if output is None else False
    columns = width or (shutil.get_terminal_size((WIDTH, 24)).columns if output is None else WIDTH)
    drawn = draw(transcript, kind, full=full, most_rows=rows, width=columns, colour=colour)  # type: ignore[arg-type]  # click has checked it
    if output is None:
        click.echo(drawn, nl=False, color=True)
        return
    try:
        output.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{output} cannot be written ({error.strerror}): choose another place") from None
    say(f"{output}: {len(transcript.entries)} entries drawn")


def _read(file: str) -> Transcript:
    """The transcript; of a trace what the tap makes of it.

    Raises:
        Failure: it is neither.
    """
    from loom_testing.transcript import TranscriptError, decode, load
    from loom_testing.transcript.tap import read_trace_text

    try:
        if file != "-":
            with Path(file).open(encoding="utf-8", errors="replace") as opened:
                begins = opened.readline()
            if not begins.startswith('{"trace"'):
                return load(file)
            return read_trace_text(Path(file).read_text(encoding="utf-8", errors="replace"), file)
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
        return read_trace_text(text, "stdin") if text.startswith('{"trace"') else decode(text, "stdin")
    except TranscriptError as error:
        raise Failure(str(error), Exit.USAGE) from None
    except OSError as error:
        raise Failure(f"{file} cannot be read ({error.strerror}): check the path", Exit.USAGE) from None


def _only(transcript: Transcript, agents: tuple[str, ...]) -> Transcript:
    """Only what concerns these agents; named as in the file or as in the picture."""
    from loom_testing.transcript.shown import show_text

    if not agents:
        return transcript
    lanes: list[str] = list(dict.fromkeys(entry.who for entry in transcript.entries if entry.who))
    wanted = [lane for lane in lanes if {lane, show_text(lane)} & set(agents)]
    known = {name for lane in wanted for name in (lane, show_text(lane))}
    unknown = [name for name in agents if name not in known]
    if unknown:
        raise Failure(
            f"nobody is called {unknown[0]!r} there; there are {', '.join(map(show_text, lanes)) or 'none'}",
            Exit.USAGE,
        )
    return transcript.of(*wanted)


def _form_of(output: Path | None) -> str:
    """What to draw, by the ending of the file.

    Raises:
        Failure: nothing that can be drawn ends so.
    """
    if output is None:
        return "text"
    kind = ENDINGS.get(output.suffix.lower())
    if kind is None:
        known = ", ".join(ending for ending in ENDINGS if ending)
        raise Failure(
            f"{output}: cannot draw what ends in {output.suffix}: end it in {known}, or say --format",
            Exit.USAGE,
        )
    return kind


def _colour() -> bool:
    wanted = colour_wanted()
    return sys.stdout.isatty() if wanted is None else wanted
