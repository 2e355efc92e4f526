"""Transcripts as snapshots of syrupy: compared with a kept file, renewed by `pytest --snapshot-update`.

    from loom_testing.transcript.snapshots import TranscriptExtension

    async def test_order(loom_bridge, snapshot):
        ...
        assert await loom_bridge.transcript() == snapshot.use_extension(TranscriptExtension)

The files are whole transcripts, so that they can be drawn and replayed. What differs from run to run (the
bridge, the date, real times) is not in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from loom_testing.transcript.comparing import differences
from loom_testing.transcript.entry import Transcript, TranscriptError
from loom_testing.transcript.files import decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TranscriptExtension"]


class TranscriptExtension(SingleFileSnapshotExtension):
    """Keeps each transcript in a file of its own, `__snapshots__/test_file/test_name.jsonl`."""

    _write_mode = WriteMode.TEXT
    file_extension = "jsonl"

    def serialize(self, data: Any, **options: Any) -> str:
        """The transcript's comparable text.

        Raises:
            TypeError: it is none.
        """
        if not isinstance(data, Transcript):
            raise TypeError(
                f"{type(data).__name__} is no transcript: give what loom_bridge.transcript() gives"
            )
        return encode(data.comparable())

    def diff_lines(self, serialized_data: Any, snapshot_data: Any) -> Iterator[str]:
        """What is different, entry by entry."""
        if not snapshot_data:
            yield "no transcript is kept for this test yet: pytest --snapshot-update"
            return
        try:
            expected = decode(str(snapshot_data), "the kept transcript")
        except TranscriptError as error:
            yield f"{error} (pytest --snapshot-update)"
            return
        yield from differences(expected, decode(str(serialized_data)))
