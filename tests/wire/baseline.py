"""The committed baseline of the wire: `baseline.binpb`, an encoded FileDescriptorSet.

After an addition to the wire bring it up to date by

    python -m tests.wire.baseline

which refuses a breaking change, unless it is told `--accept-breaking`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tests.wire.breaking import breaking_changes
from tests.wire.generated import descriptors

PATH = Path(__file__).with_name("baseline.binpb")


def read(path: Path = PATH) -> FileDescriptorSet:
    """The baseline; an empty one where there is none yet."""
    return FileDescriptorSet.FromString(path.read_bytes() if path.exists() else b"")


def update(path: Path = PATH, *, accept_breaking: bool = False) -> list[str]:
    """Writes the baseline anew; returns what in it is breaking, and writes nothing then unless told to."""
    new = descriptors()
    changes = breaking_changes(read(path), new)
    if accept_breaking or not changes:
        path.write_bytes(new.SerializeToString(deterministic=True))
    return changes


if __name__ == "__main__":
    accepted = "--accept-breaking" in sys.argv[1:]
    changes = update(accept_breaking=accepted)
    print(*changes, sep="\n", end="\n" if changes else "")
    print("refused: these changes break others" if changes and not accepted else f"{PATH.name} is up to date")
    sys.exit(1 if changes and not accepted else 0)
