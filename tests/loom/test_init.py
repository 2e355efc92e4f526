"""What is public, where it lives, and what importing it costs."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

import loom

NAMES = [name for name in loom.__all__ if name != "__version__"]


def modules():
    """The SDK's own modules, by name."""
    for found in pkgutil.walk_packages(loom.__path__, "loom."):
        if found.name.split(".")[1] not in ("cli", "testing", "v1", "view"):
            yield importlib.import_module(found.name)


def test_each_public_name_is_public_in_one_place():
    places = {name: [] for name in NAMES}
    for module in modules():
        # A package shows what its modules hold: loom.memory is one place.
        if module.__name__.rpartition(".")[0] != "loom.memory":
            for name in set(getattr(module, "__all__", ())).intersection(NAMES):
                places[name].append(module.__name__)
    assert {name: found for name, found in places.items() if len(found) != 1} == {}
    for name, home in loom._HOME_OF.items():
        assert places[name] == [home]


@pytest.mark.parametrize("name", NAMES)
def test_each_public_name_is_there_and_documented(name):
    value = getattr(loom, name)
    assert value.__doc__
    assert name in dir(loom)


def test_the_table_of_homes_names_what_is_public():
    from loom import errors

    eager = {name for name in errors.__all__ if name != "error_from_code"}
    assert set(loom._HOME_OF) | eager == set(NAMES)


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'loom' has no attribute 'nothing'"):
        loom.nothing  # noqa: B018 - the access is the test


def test_the_version_is_the_distributions():
    assert loom.__version__.count(".") == 2


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_importing_loom_imports_nothing_heavy():
    imported = {name.partition(".")[0] for name in run("import loom, sys; print(*sys.modules)")}
    assert not imported & {"asyncio", "google", "grpc", "importlib_metadata", "pydantic"}


@pytest.mark.parametrize(
    "before", ["", "import loom.capability", "from loom import Agent", "import loom.capability as c"]
)
def test_the_decorator_is_not_hidden_by_the_module_of_its_name(before):
    code = f"{before}\nfrom loom import capability\nprint(callable(capability), capability)"
    assert run(code)[0] == "True"


def test_the_layout_names_every_module():
    listed = loom.__doc__ or ""
    for found in pkgutil.iter_modules(loom.__path__):
        name = found.name
        assert f"{name}/" in listed if found.ispkg else f"{name}.py" in listed or name == "protogen", name
