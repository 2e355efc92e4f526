"""What the tests of the command line share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loom.cli import main

Loom = Callable[..., Result]


@pytest.fixture
def loom(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loom:
    """Runs `loom ARGS` in an empty folder, without settings from outside."""
    for name in ("LOOM_BRIDGE_ADDR", "LOOM_TOKEN", "LOOM_NAMESPACE", "LOOM_TLS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*args: str) -> Result:
        return CliRunner().invoke(main, list(args), prog_name="loom")

    return run
