"""A small corpus of its own: the manual of a kiln, of which every sentence is known."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

MANUAL = {
    "firing.md": """
        # Firing

        A bisque firing hardens raw clay so that it can be glazed. Raise the temperature slowly, by no more
        than 100 degrees an hour, until all water has left the clay.

        ## Cooling

        Let the kiln cool to 80 degrees before the lid is opened. Opening the lid too early cracks the glaze.

        ```
        kiln --ramp 100 --hold 15 bisque
        ```
        """,
    "glaze.md": """
        # Glaze

        A glaze is a thin coat of glass that seals the clay. Stir the glaze well before it is brushed on.

        ## Faults

        Pinholes in a glaze come from gas that leaves the clay late. Fire more slowly, or hold the top
        temperature for fifteen minutes, to let the gas escape.
        """,
    "safety/vents.txt": """
        Ventilation

        The vents draw fumes out of the room. Keep the vents open while the kiln is hotter than 200 degrees.
        Without ventilation the fumes of a bisque firing are harmful.
        """,
    "safety/power.rst": """
        Power
        =====

        The kiln needs a circuit of its own with a breaker of 32 amperes. Switch the breaker off before the
        heating elements are touched.
        """,
}


def write_manual(folder: Path) -> Path:
    """Write the manual into a folder, and return it."""
    for name, text in MANUAL.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), "utf-8")
    return folder


@pytest.fixture
def manual(tmp_path: Path) -> Path:
    """The folder of the kiln's manual."""
    return write_manual(tmp_path / "manual")
