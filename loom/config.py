"""Settings: what holds, where it was said, and why.

Each setting is taken from the first place that says it: arguments, the environment, `loom.toml` (searched
from the working directory upwards), the default. An error names the place, the key and what to do.

    [bridge]
    address = "127.0.0.1:50051"     LOOM_BRIDGE_ADDR
    namespace = "default"           LOOM_NAMESPACE
    token_env = "LOOM_TOKEN"        the variable that holds the token; never the token itself
    local = true                    LOOM_NO_LOCAL_BRIDGE=1 is local = false
    tls = true                      LOOM_TLS=1; or a table: ca, certificate, key, server_name

    [agent]
    max_parallel = 64               events handled at once
    connect_timeout = 10.0          seconds that `start()` tries to reach the bridge

    [memory]
    store = "local"                 or "sqlite:PATH", or the name of a plugin
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loom.endpoint import DEFAULT_NAMESPACE, TLS, Endpoint, check_address, check_namespace, check_token
from loom.errors import ConfigError
from loom.runtime.managed import managed_endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Settings"]

FILE_NAME = "loom.toml"

_KEYS: dict[str, dict[str, tuple[type, ...]]] = {
    "bridge": {
        "address": (str,),
        "namespace": (str,),
        "token_env": (str,),
        "local": (bool,),
        "tls": (bool, dict),
    },
    "agent": {"max_parallel": (int,), "connect_timeout": (int, float)},
    "memory": {"store": (str,)},
}
_TLS_KEYS: dict[str, tuple[type, ...]] = {
    "ca": (str,),
    "certificate": (str,),
    "key": (str,),
    "server_name": (str,),
}
_TYPE_NAMES: dict[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "a table",
}
_VARIABLES = ("LOOM_BRIDGE_ADDR", "LOOM_NAMESPACE", "LOOM_NO_LOCAL_BRIDGE", "LOOM_TLS", "LOOM_TOKEN")
_MOST_UNDERSTOOD = 64
_understood: dict[tuple[object, ...], Settings] = {}
"""What was said where there was no file, and the settings that it makes."""
_TRUTHS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for the agents of one process.

    Attributes:
        endpoint: the bridge that was named; None where a local bridge is to be found or started.
        namespace: the namespace, also on a local bridge.
        local: whether a local bridge may be found or started where no other is named.
        reason: why this bridge, for people.
        max_parallel: events that one agent handles at once.
        connect_timeout: seconds that `Agent.start` tries to reach the bridge.
        memory: which memory store agents get that are given none.
        file: the `loom.toml` that was read, if any.
    """

    endpoint: Endpoint | None = None
    namespace: str = DEFAULT_NAMESPACE
    local: bool = True
    reason: str = "no bridge is named"
    max_parallel: int = 64
    connect_timeout: float = 10.0
    memory: str = "local"
    file: Path | None = None

    @classmethod
    def load(
        cls,
        *,
        address: str | None = None,
        namespace: str | None = None,
        token: str | None = None,
        local: bool | None = None,
        environ: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> Settings:
        """Reads the settings: arguments, then the environment, then `loom.toml`.

        Args:
            address: the bridge, before everything else.
            namespace: the namespace, before everything else.
            token: the bearer token, before everything else.
            local: whether a local bridge may be used, before everything else.
            environ: instead of `os.environ`.
            directory: where the search for `loom.toml` begins, instead of the working directory.

        Raises:
            ConfigError: a setting is malformed; the message says which, where, and what to do.
        """
        here = os.getcwd() if directory is None else directory  # noqa: PTH109 - as in _find
        environ = os.environ if environ is None else environ
        file = _find(here)
        # Most programs start many agents and have no file: what the environment says is understood once.
        said = (address, namespace, token, local, *map(environ.get, _VARIABLES))
        if file is None and said in _understood:
            return _understood[said]
        settings = cls._read(_Sources(environ, file), address, namespace, token, local)
        if file is None:
            if len(_understood) >= _MOST_UNDERSTOOD:
                _understood.clear()
            _understood[said] = settings
        return settings

    @classmethod
    def _read(
        cls,
        sources: _Sources,
        address: str | None,
        namespace: str | None,
        token: str | None,
        local: bool | None,
    ) -> Settings:
        where, space = sources.first(("namespace", namespace), "LOOM_NAMESPACE", "bridge.namespace")
        space = space or DEFAULT_NAMESPACE
        check_namespace(space, where)
        return cls(
            namespace=space,
            local=sources.local(local),
            max_parallel=sources.number("agent.max_parallel", 64, least=1),
            connect_timeout=sources.number("agent.connect_timeout", 10.0, least=0.1),
            memory=sources.text("memory.store") or "local",
            file=sources.file,
            **_choose(sources, address, token, space),
        )

    def describe(self) -> str:
        """The chosen bridge and why, one line, without any secret."""
        if self.endpoint is not None:
            return f"{self.endpoint.address} ({self.reason})"
        return f"a local bridge ({self.reason})" if self.local else f"none ({self.reason})"


def _choose(sources: _Sources, address: str | None, token: str | None, namespace: str) -> dict[str, Any]:
    """The endpoint and the reason for it."""
    secret_place, secret = sources.token(token)
    if secret:
        check_token(secret, secret_place)
    tls = sources.tls()  # read also where nothing uses it: what is wrong is told now
    place, chosen = sources.first(("address", address), "LOOM_BRIDGE_ADDR", "bridge.address")
    if chosen:
        check_address(chosen, place)
        endpoint = Endpoint(chosen, namespace, secret or None, tls)
        return {"endpoint": endpoint, "reason": f"named by {place}"}
    if secret:
        endpoint = managed_endpoint(namespace, secret, tls)
        return {"endpoint": endpoint, "reason": f"{secret_place} is set and no address: the managed bridge"}
    return {}


def _find(directory: Path | str) -> Path | None:
    """The nearest `loom.toml`, from the directory upwards."""
    place = os.fspath(directory)
    while True:
        file = os.path.join(place, FILE_NAME)  # noqa: PTH118 - by text: it is done for each agent that starts
        if os.path.isfile(file):  # noqa: PTH113 - as above
            return Path(file)
        above = os.path.dirname(place)  # noqa: PTH120 - as above
        if above == place:
            return None
        place = above


class _Sources:
    """The environment and the file, each value checked for its type when it is read."""

    def __init__(self, environ: Mapping[str, str], file: Path | None) -> None:
        self.environ = environ
        self.file = file
        self.tables = _read(file) if file else {}

    def first(self, argument: tuple[str, str | None], variable: str, key: str) -> tuple[str, str]:
        """The first place that says it, and what it says there."""
        name, value = argument
        if value is not None:
            return f"the argument {name}", value
        if self.environ.get(variable):
            return variable, self.environ[variable]
        return self.place(key), self.text(key)

    def place(self, key: str) -> str:
        """A key of the file, as an error names it."""
        return f"{key} in {self.file}"

    def value(self, key: str) -> Any:
        table, _, name = key.partition(".")
        return self.tables.get(table, {}).get(name)

    def text(self, key: str) -> str:
        found = self.value(key)
        return "" if found is None else str(found)

    def number(self, key: str, default: Any, *, least: float) -> Any:
        found = self.value(key)
        if found is None:
            return default
        if not least <= found < float("inf"):
            raise ConfigError(f"{self.place(key)} is {found}: it must be at least {least}")
        return found

    def flag(self, variable: str) -> bool | None:
        text = self.environ.get(variable, "").strip().lower()
        if not text:
            return None
        if text not in _TRUTHS:
            raise ConfigError(f"{variable} is {text!r}: write 1 or 0")
        return _TRUTHS[text]

    def local(self, argument: bool | None) -> bool:
        """Whether a local bridge may be used."""
        if argument is not None:
            return argument
        forbidden = self.flag("LOOM_NO_LOCAL_BRIDGE")
        if forbidden is not None:
            return not forbidden
        return self.value("bridge.local") is not False

    def token(self, argument: str | None) -> tuple[str, str]:
        """The place of the token, and the token."""
        if argument is not None:
            return "the argument token", argument
        variable = self.text("bridge.token_env")
        if not variable:
            return "LOOM_TOKEN", self.environ.get("LOOM_TOKEN", "")
        if not self.environ.get(variable):
            # The name is not shown: somebody may have written the token itself there.
            raise ConfigError(
                f"{self.place('bridge.token_env')} names a variable that is not set: set it to the token"
            )
        return self.place("bridge.token_env"), self.environ[variable]

    def tls(self) -> TLS | None:
        """How to secure the connection."""
        wanted = self.flag("LOOM_TLS")
        found = self.value("bridge.tls")
        if wanted is False or (wanted is None and not isinstance(found, dict) and found is not True):
            return None
        if not isinstance(found, dict):
            return TLS()
        _check_table(found, _TLS_KEYS, "bridge.tls", self.file)
        folder = self.file.parent if self.file else Path()
        files = {name: folder / value for name, value in found.items() if name != "server_name"}
        return TLS(**files, server_name=found.get("server_name", ""))


def _read(file: Path) -> dict[str, dict[str, Any]]:
    """The tables of a `loom.toml`, every key and type checked."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not TOML: {error}") from error
    for name, table in tables.items():
        if name not in _KEYS:
            raise ConfigError(f"{file} has an unknown table [{name}]: known are {', '.join(_KEYS)}")
        if not isinstance(table, dict):
            raise ConfigError(f"{name} in {file} is {table!r}: write it as a table [{name}]")
        _check_table(table, _KEYS[name], name, file)
    return tables


def _check_table(
    table: dict[str, Any], keys: dict[str, tuple[type, ...]], name: str, file: Path | None
) -> None:
    for key, value in table.items():
        if key not in keys:
            hint = (
                " (never write a token into a file: name its variable in token_env)" if key == "token" else ""
            )
            raise ConfigError(f"{file} has an unknown key {name}.{key}: known are {', '.join(keys)}{hint}")
        # A bool is an int to Python; a file's author does not think so.
        if not isinstance(value, keys[key]) or (isinstance(value, bool) and bool not in keys[key]):
            wanted = " or ".join(_TYPE_NAMES[kind] for kind in keys[key])
            raise ConfigError(f"{name}.{key} in {file} is {value!r}: it must be {wanted}")
