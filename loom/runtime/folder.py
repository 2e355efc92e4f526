"""The folder of one machine user in which a local bridge leaves its address, for that user only.

It is `LOOM_RUNTIME_DIR`, else `loom` in `XDG_RUNTIME_DIR`, else `loom-UID` in the folder for temporary files.
The last may be made by anybody, so a folder that is not one's own, or that others can write, is refused:
whoever owns it could name a bridge of theirs.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from loom.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["locked", "runtime_folder"]

_INSTEAD = "set LOOM_RUNTIME_DIR to a folder of your own, or name a bridge by LOOM_BRIDGE_ADDR"


def runtime_folder(environ: Mapping[str, str]) -> Path:
    """The folder, made where it is missing, and checked.

    Raises:
        ConfigError: it cannot be made, or is not one to trust.
    """
    folder = _place(environ)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise ConfigError(
            f"cannot make {folder} for the local bridge: {error.strerror}; {_INSTEAD}"
        ) from error
    if not stat.S_ISDIR(found.st_mode):
        raise ConfigError(f"{folder} is not a folder; {_INSTEAD}")
    if found.st_uid != os.getuid():
        raise ConfigError(f"{folder} belongs to another user; {_INSTEAD}")
    if found.st_mode & 0o022:
        raise ConfigError(f"others may write {folder}: `chmod 700` it, or {_INSTEAD}")
    return folder


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Holds the folder's lock while the block runs, if nobody else does; answers whether it does.

    The lock ends with its process, however that ends.
    """
    import fcntl  # not on Windows, where `runtime_folder` has no user to ask for either

    file = os.open(folder / "bridge.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(file)


def _place(environ: Mapping[str, str]) -> Path:
    if environ.get("LOOM_RUNTIME_DIR"):
        return Path(environ["LOOM_RUNTIME_DIR"])
    if environ.get("XDG_RUNTIME_DIR"):
        return Path(environ["XDG_RUNTIME_DIR"]) / "loom"
    if not hasattr(os, "getuid"):
        raise ConfigError(
            f"a local bridge is started on POSIX systems only; {_INSTEAD.partition(', or ')[2]}"
        )
    return Path(tempfile.gettempdir()) / f"loom-{os.getuid()}"
