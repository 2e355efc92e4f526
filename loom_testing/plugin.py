"""The pytest plugin: bridges for tests."""

from __future__ import annotations

__all__: list[str] = []
