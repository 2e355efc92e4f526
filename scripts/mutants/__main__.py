"""Entry of `python -m scripts.mutants`."""

from __future__ import annotations

import sys

from scripts.mutants.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
