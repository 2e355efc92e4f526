"""`python -m loom.cli.fake`: `loom-testing serve` as a child of `loom dev`, which it does not outlive."""

from __future__ import annotations

import sys

from loom.cli.lifeline import follow_parent
from loom_testing.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    follow_parent()
    main(["serve", *sys.argv[1:]], prog_name="loom dev")
