import subprocess
import sys

import pytest

from mutants import planted
from mutants.mutant import load


def test_a_name_that_is_no_mutant_s(capsys):
    assert planted.main(["no-such-mutant"]) == 2
    assert load()[0].name in capsys.readouterr().err


def test_what_is_imported_already_is_not_mutated():
    import loom_testing.engine.engine  # noqa: F401 - that is the point

    (mutant,) = [m for m in load() if m.file == "loom_testing/engine/engine.py"][:1]
    with pytest.raises(RuntimeError, match=r"loom_testing\.engine\.engine is imported already"):
        planted.plant(mutant)


def test_a_planted_module_is_imported_with_its_bug():
    (mutant,) = [m for m in load() if m.file == "loom_testing/engine/engine.py"][:1]
    code = (
        "from mutants.mutant import load; from mutants.planted import plant\n"
        f"mutant = next(m for m in load() if m.name == {mutant.name!r}); plant(mutant)\n"
        "import inspect, loom_testing.engine.engine as module\n"
        "code = compile(mutant.source(), module.__file__, 'exec')\n"
        "names = {c.co_name: c.co_code for c in code.co_consts if hasattr(c, 'co_code')}\n"
        "import loom_testing.engine.limits as other; print(module.__loader__.__class__.__name__,"
        " other.__loader__.__class__.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["_Loader", "SourceFileLoader"]
