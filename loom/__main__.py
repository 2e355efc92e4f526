"""`python -m loom`: the `loom` command, where its script is not on the PATH."""

from __future__ import annotations

from loom.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main(prog_name="loom")
