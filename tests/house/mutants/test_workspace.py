"""The private copy: whole, without what is gone, and untouched where nothing changed."""

from __future__ import annotations

import os

from scripts.mutants.workspace import mirror


def test_holds_what_is_there_now(tmp_path):
    root, target = tmp_path / "root", tmp_path / "copy"
    for name in ("a/one.py", "a/b/two.py", "a/__pycache__/one.pyc", "alone.toml", "other/three.py"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    mirror(root, ("a", "alone.toml", "missing"), target)
    found = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert found == {"a/one.py", "a/b/two.py", "alone.toml"}

    for name in found:
        os.utime(target / name, (1, 1))
    (root / "a/one.py").write_text("changed")
    (root / "a/b/two.py").unlink()
    mirror(root, ("a", "alone.toml"), target)
    assert (target / "a/one.py").read_text() == "changed"
    assert (target / "a/one.py").stat().st_mtime > 1
    assert not (target / "a/b/two.py").exists()
    assert (target / "alone.toml").stat().st_mtime == 1
