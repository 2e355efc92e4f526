"""Where the Loom bridge's binary is."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

__all__ = ["find_loom_bridge_bin"]


def find_loom_bridge_bin() -> str:
    """The path of the `loom-bridge` binary that this package brought.

    Raises:
        FileNotFoundError: it is not there; the message names the places that were looked at.
    """
    name = "loom-bridge" + (sysconfig.get_config_var("EXE") or "")
    places = [Path(place) / name for place in _places()]
    for place in places:
        if place.is_file():
            return str(place)
    looked = ", ".join(str(place.parent) for place in places)
    raise FileNotFoundError(f"{name} is not in {looked}; install loom-bridge again")


def _places() -> list[str]:
    """The folders into which installers put scripts, the likeliest first."""
    here = Path(__file__).resolve().parent
    scripts = "Scripts" if os.name == "nt" else "bin"
    user = sysconfig.get_path("scripts", f"{os.name}_user") if sys.flags.no_user_site == 0 else None
    return [
        sysconfig.get_path("scripts"),
        # `pip install --target FOLDER` puts them beside the packages, `--prefix` above.
        str(here.parent / "bin"),
        str(here.parents[min(3, len(here.parents) - 1)] / scripts),
        *([user] if user else []),
    ]
