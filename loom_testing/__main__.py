"""`python -m loom_testing` is `loom-testing`."""

from __future__ import annotations

from loom_testing.cli import main

if __name__ == "__main__":
    main()
