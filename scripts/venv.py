"""Makes `.venv`, installs what a verb of the Makefile needs, and runs a command in it.

    python3 scripts/venv.py WHAT [COMMAND ...]

WHAT is `examples` (this checkout with what the examples need) or `tools` (tox). Needs only Python and its
venv module; installs through pip, so pip's configuration and environment hold. uv, which tox uses for
speed, is told the same index, certificates and time-outs.

This file also runs under a Python that is too old for Loom, to say so.
"""

from __future__ import annotations

import ast
import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
OLDEST = (3, 11)

# pip's option -> the variable that tells uv the same, and what joins several values.
UV_NAMES = {
    "index-url": ("UV_DEFAULT_INDEX", ""),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "no-index": ("UV_NO_INDEX", ""),
    "timeout": ("UV_HTTP_TIMEOUT", ""),
    "default-timeout": ("UV_HTTP_TIMEOUT", ""),
    "cert": ("SSL_CERT_FILE", ""),
    "proxy": ("ALL_PROXY", ""),
}


def main(arguments: list[str]) -> int:
    """Prepares `.venv` for WHAT and becomes COMMAND."""
    if not arguments or arguments[0] not in {"examples", "tools"}:
        return fail("usage: python3 scripts/venv.py examples|tools [COMMAND ...]")
    problem = python_problem(sys.version_info[:2])
    if problem:
        return fail(problem)
    python = make_venv()
    if python is None:
        return fail(
            "python3 cannot make a virtual environment: its venv module is missing. "
            "Run scripts/system-packages.sh, or on Debian and Ubuntu: apt-get install python3-venv"
        )
    if not install(python, arguments[0]):
        return fail("pip could not install what is needed; its message above says why")
    if arguments[1:]:
        return become(python, arguments[1:])
    return 0


def fail(message: str) -> int:
    """One line to stderr; the exit code."""
    sys.stderr.write(f"loom: {message}\n")
    return 2


def python_problem(version: tuple[int, ...]) -> str:
    """Why this Python does not do, or nothing."""
    if version >= OLDEST:
        return ""
    have, need = (".".join(map(str, pair)) for pair in (version, OLDEST))
    return f"Python {have} is too old, Loom needs {need} or newer; name one: make demo PYTHON=python{need}"


def make_venv() -> Path | None:
    """The Python of `.venv`, made when it is missing or broken; None where it cannot be made."""
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if python.exists() and quiet([str(python), "-m", "pip", "--version"]):
        return python
    say(f"making {VENV.name} with Python {sys.version.split()[0]}")
    if not quiet([sys.executable, "-m", "venv", "--clear", str(VENV)]):
        return None
    return python


def install(python: Path, what: str) -> bool:
    """Installs what WHAT names, unless that was done for this pyproject.toml already."""
    stamp = VENV / f".installed-{what}"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return True
    say(f"installing what is needed ({what}); a minute, once")
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # Fixed program, arguments from our own pyproject.toml.
    if subprocess.run([*command, *requirements(what)], cwd=ROOT, check=False).returncode != 0:  # noqa: S603  # our own words
        return False
    stamp.write_text(wanted)
    return True


def requirements(what: str) -> list[str]:
    """What pip is asked for."""
    if what == "examples":
        return ["--editable", ".[examples]"]
    import tomllib  # here, because an old Python has none

    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    return [str(requirement) for requirement in groups[what]]


def become(python: Path, command: list[str]) -> int:
    """Replaces this process by `command`, run in `.venv`."""
    environment = dict(os.environ)
    environment["VIRTUAL_ENV"] = str(VENV)
    environment["PATH"] = os.pathsep.join([str(python.parent), environment.get("PATH", "")])
    environment.pop("PYTHONHOME", None)
    for name, value in uv_environment(pip_settings(python)).items():
        environment.setdefault(name, value)
    program = str(python) if command[0] == "python" else command[0]
    sys.stdout.flush()
    os.execvpe(program, [program, *command[1:]], environment)  # noqa: S606  # the Makefile's own words


def pip_settings(python: Path) -> dict[str, str]:
    """What pip is configured with, from its files and environment, by option; later sources win."""
    listing = subprocess.run(  # noqa: S603  # fixed arguments
        [str(python), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    settings: dict[str, str] = {}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in {"global", "install", ":env:"} and value:
            settings[option] = str(ast.literal_eval(value))
    return settings


def uv_environment(settings: dict[str, str]) -> dict[str, str]:
    """The variables that make uv look where pip looks.

    A folder of wheels that does not exist is left out: pip passes over it, uv would stop.
    """
    environment = {"UV_PYTHON_DOWNLOADS": "never"}
    for option, value in settings.items():
        if option not in UV_NAMES:
            continue
        name, separator = UV_NAMES[option]
        parts = value.split() if separator else [value]
        if option == "find-links":
            parts = [part for part in parts if "://" in part or Path(part).is_dir()]
        if parts:
            environment[name] = separator.join(parts)
    if "UV_INDEX" in environment:
        # As pip: the best version of all indexes, not the first index that has the name.
        environment["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return environment


def quiet(command: list[str]) -> bool:
    """Whether the command succeeds; its output is shown only where it does not."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # fixed words
    if done.returncode != 0 and done.stderr:
        sys.stderr.write(done.stderr)
    return done.returncode == 0


def say(message: str) -> None:
    """Progress, for whoever waits."""
    sys.stderr.write(f"loom: {message}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
