"""What can be called now: its schemas, its arguments in one line, and the nearest name to a wrong one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom.v1.action_pb2 import CapabilityDescriptor

__all__ = ["find_offer", "nearest", "schema_of", "signature"]


def find_offer(
    offers: Sequence[CapabilityDescriptor], name: str, version: str = ""
) -> CapabilityDescriptor | None:
    """The offer of that name and version; an empty version is any."""
    return next((each for each in offers if each.name == name and version in ("", each.version)), None)


def schema_of(offer: CapabilityDescriptor | None, key: str = "input_schema") -> dict[str, Any]:
    """A schema of the offer; empty where it has none, or none that is JSON."""
    try:
        schema = json.loads(offer.metadata.get(key, "{}")) if offer is not None else {}
    except (ValueError, RecursionError):  # the latter where it is nested too deeply
        return {}
    return schema if isinstance(schema, dict) else {}


def signature(schema: dict[str, Any]) -> str:
    """The arguments in one line, as in `query limit=5 [lang]`: what is optional has a default or brackets."""
    required = schema.get("required", [])
    return " ".join(
        name if name in required else _optional(name, field)
        for name, field in schema.get("properties", {}).items()
    )


def nearest(offers: Sequence[CapabilityDescriptor], name: str) -> str | None:
    """The name that was probably meant."""
    from difflib import get_close_matches

    names = {each.name for each in offers}
    return next(iter(get_close_matches(name, sorted(names), n=1)), None)


def _optional(name: str, field: Any) -> str:
    default = field.get("default") if isinstance(field, dict) else None
    return f"[{name}]" if default is None else f"{name}={json.dumps(default, ensure_ascii=False)}"
