"""What the tests of the command line share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loom.cli import main

Loom = Callable[..., Result]


@pytest.fixture
def loom(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Loom:
    """Runs `loom ARGS` in an empty folder, without settings from outside."""
    for name in [name for name in os.environ if name.startswith("LOOM_")] + ["NO_COLOR", "FORCE_COLOR"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOOM_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime") / "loom"))
    monkeypatch.chdir(tmp_path)

    def run(*args: str) -> Result:
        return CliRunner().invoke(main, list(args), prog_name="loom")

    return run
