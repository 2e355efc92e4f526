"""Transcripts: what crossed a bridge, recorded, written, compared, drawn and replayed.

recorder = Recorder()
recorder.sent("shop", "EventStream", message)          # while it runs
transcript = recorder.transcript()                     # afterwards
text = encode(transcript)                              # the file
print(draw(decode(text)))                              # the picture
"""

from __future__ import annotations

from loom_testing.transcript.drawing import FORMATS, Format, draw
from loom_testing.transcript.entry import Entry, Kind, Transcript, TranscriptError, Way
from loom_testing.transcript.files import decode, encode, is_transcript, load, save
from loom_testing.transcript.recorder import Recorder
from loom_testing.transcript.redaction import Redaction

__all__ = [
    "FORMATS",
    "Entry",
    "Format",
    "Kind",
    "Recorder",
    "Redaction",
    "Transcript",
    "TranscriptError",
    "Way",
    "decode",
    "draw",
    "encode",
    "is_transcript",
    "load",
    "save",
]
