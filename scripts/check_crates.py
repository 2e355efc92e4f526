"""What the bridge is made of: each crate's licence is one we may ship, and each comes from the registry.

    python scripts/check_crates.py

Reads `cargo metadata` and Cargo.lock, so it needs no network once the crates are here. What it cannot do
without is to ask for known vulnerabilities: `cargo audit` does, where its database can be fetched.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

__all__ = ["allowed", "main", "problems"]

BRIDGE = Path(__file__).resolve().parent.parent / "bridge"
ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
}
REGISTRY = "registry+"


def main() -> int:
    """Prints what is wrong; 1 where something is."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    said = subprocess.run(command, cwd=BRIDGE, capture_output=True, text=True, check=False)  # noqa: S603  # our own words
    if said.returncode:
        sys.stderr.write(said.stderr)
        return 1
    packages = json.loads(said.stdout)["packages"]
    found = problems(packages)
    for problem in found:
        print(problem)  # noqa: T201  # a command's output
    print(f"{len(packages)} crates, {len(found)} with a problem")  # noqa: T201  # as above
    return 1 if found else 0


def problems(packages: list[dict[str, str | None]]) -> list[str]:
    """What is wrong with the crates, one line each."""
    found = []
    for package in packages:
        name = f"{package['name']} {package['version']}"
        source = package["source"]
        if source is not None and not source.startswith(REGISTRY):
            found.append(f"{name} comes from {source}: take a released version")
        licence = package["license"] or ""
        if not allowed(licence):
            found.append(f"{name} is under {licence or 'no licence that it names'}: not one of ours")
    return found


def allowed(licence: str) -> bool:
    """Whether an SPDX expression (OR, or `/`, AND, parentheses) can be met with licences that we may ship."""
    tokens = re.findall(r"\(|\)|\bOR\b|\bAND\b|/|[\w.+-]+(?: WITH [\w.+-]+)?", licence)
    words = {"OR": "or", "/": "or", "AND": "and", "(": "(", ")": ")"}
    logic = " ".join(words.get(token, str(token in ALLOWED)) for token in tokens)
    # Made of True, False, and, or and parentheses only.
    return bool(tokens) and bool(eval(logic, {"__builtins__": {}}))  # noqa: S307  # as said above


if __name__ == "__main__":
    sys.exit(main())
