"""A script of faults: the same in a test and in front of a bridge that runs.

    seed = 7                          # of what is left to chance

    [[fault]]
    do = "drop"
    kind = "publish"
    topic = "order.*"
    nth = 2

    [[fault]]
    do = "delay"
    seconds = 1.5
    direction = "to_agent"
    probability = 0.1

Each fault names what it does, and takes what its method of `Faults` takes.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from loom_testing.faults.chance import Chance
from loom_testing.faults.errors import FaultError

if TYPE_CHECKING:
    from loom_testing.faults.fault import Fault
    from loom_testing.faults.faults import Faults
    from loom_testing.faults.rules import Rules

__all__ = ["Script", "read_script"]

NEEDED = {"delay": "seconds", "slow": "bytes_per_second"}
"""What cannot be left out."""
KINDS = ("drop", "delay", "duplicate", "reorder", "corrupt", "disconnect", "stall", "slow", "refuse", "fail")


class Script:
    """Several faults, in force inside its `with`.

    Attributes:
        faults: them, in their order.
        called: what to call it in errors.

    Args:
        rules: where they are in force.
        faults, called: as above.
    """

    def __init__(self, rules: Rules, faults: list[Fault], called: str = "the script") -> None:
        self.faults = faults
        self.called = called
        self._rules = rules

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        self.end(check=kind is None)

    @property
    def optional(self) -> bool:
        """Whether all of them may end without having fired."""
        return all(fault.optional for fault in self.faults)

    def start(self) -> None:
        """From now on they are in force: all, or none.

        Raises:
            FaultError: one contradicts another that is.
        """
        self._rules.begin(self)
        begun: list[Fault] = []
        try:
            for fault in self.faults:
                fault.start()
                begun.append(fault)
        except FaultError:
            for fault in begun:
                fault.end(check=False)
            raise

    def end(self, *, check: bool = True) -> None:
        """They are not any more.

        Raises:
            UnfiredError: one of them never fired; the first that did not says so.
        """
        for fault in self.faults:
            fault.end(check=False)
        if check:
            for fault in self.faults:
                fault.check()


def read_script(faults: Faults, source: str | Path | dict[str, Any]) -> Script:
    """Reads a script. A seed that it names is set.

    Raises:
        FaultError: it cannot be read, or a fault in it cannot be; the text says where.
    """
    if not isinstance(source, str | Path | dict):
        raise FaultError(f"script({source!r}): name a file of faults")
    name, content = ("the script", source) if isinstance(source, dict) else _read(Path(source))
    unknown = sorted(set(content) - {"seed", "fault"})
    if unknown:
        raise FaultError(f"{name} has {unknown[0]!r}, and knows only seed and [[fault]]")
    listed = content.get("fault", [])
    if not isinstance(listed, list) or not listed:
        raise FaultError(f"{name} has no fault: write [[fault]] and under it do = 'drop' or another")
    unnoted = type(faults)(faults.rules, noted=False)  # they begin with the script, and are noted as it
    made = [_fault(unnoted, f"{name}, fault {number}", item) for number, item in enumerate(listed, 1)]
    if "seed" in content:
        seed = content["seed"]
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise FaultError(f"{name}: seed = {seed!r} is no whole number")
        faults.rules.chance = Chance(seed)
    script = Script(faults.rules, made, "the script" if isinstance(source, dict) else f"the script {name}")
    faults.rules.note(script)
    return script


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        return path.name, tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FaultError(f"{path} cannot be read ({error.strerror}): name a file of faults") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FaultError(f"{path.name} is no TOML: {error}") from None


def _fault(faults: Faults, where: str, item: Any) -> Fault:
    if not isinstance(item, dict):
        raise FaultError(f"{where}: write it as a table, [[fault]]")
    given = dict(item)
    do = given.pop("do", None)
    if do not in KINDS:
        said = "has no do" if do is None else f"does {do!r}"
        raise FaultError(f"{where} {said}: write do = {', '.join(KINDS)}")
    if "where" in given:
        raise FaultError(f"{where}: where= is for tests, a file has no functions")
    if do in NEEDED and NEEDED[do] not in given:
        raise FaultError(f"{where}: {do} needs {NEEDED[do]} = ...")
    try:
        made: Fault = getattr(faults, do)(**given)
    except FaultError as error:
        raise FaultError(f"{where}: {error}") from None
    except TypeError as error:  # a name that Python does not let through
        raise FaultError(f"{where}: {do} does not take that ({error})") from None
    return made
