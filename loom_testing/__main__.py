"""`python -m loom_testing` is `loom-testing`."""

from __future__ import annotations

import sys

__all__ = ["main"]

INTERRUPTED = 130


def main() -> None:
    """The console script: also a Ctrl-C while it is still being imported ends it without a traceback."""
    try:
        from loom_testing.cli import main as command
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    command()


if __name__ == "__main__":
    main()
