"""The script under the Makefile: what it refuses, and what it tells uv."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from scripts import venv


@pytest.mark.parametrize("version", [(2, 7), (3, 6), (3, 10)])
def test_an_old_python_is_named_with_what_to_do(version):
    problem = venv.python_problem(version)
    assert problem.startswith(f"Python {version[0]}.{version[1]} is too old")
    assert "make demo PYTHON=python3.11" in problem


@pytest.mark.parametrize("version", [(3, 11), (3, 14), (4, 0)])
def test_a_new_python_is_fine(version):
    assert venv.python_problem(version) == ""


@pytest.mark.parametrize("arguments", [[], ["everything"]])
def test_a_wrong_call_says_how_it_is_called(arguments, capsys):
    assert venv.main(arguments) == 2
    assert capsys.readouterr().err.startswith("loom: usage: python3 scripts/venv.py")


def test_a_python_without_venv_is_told_what_to_install(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(venv, "VENV", tmp_path / "venv")
    monkeypatch.setattr(sys, "executable", os.devnull)
    monkeypatch.setattr(venv, "quiet", lambda command: False)
    assert venv.main(["tools"]) == 2
    assert "apt-get install python3-venv" in capsys.readouterr().err


def test_what_a_verb_needs_stands_in_pyproject():
    assert venv.requirements("examples") == ["--editable", ".[examples]"]
    assert any(requirement.startswith("tox-uv") for requirement in venv.requirements("tools"))


def test_uv_looks_where_pip_looks(tmp_path):
    environment = venv.uv_environment(
        {
            "index-url": "https://one.example/simple",
            "extra-index-url": "https://two.example/simple https://three.example/simple",
            "find-links": f"{tmp_path} {tmp_path / 'missing'}",
            "trusted-host": "one.example",
            "cert": "/ca.pem",
            "default-timeout": "180",
            "disable-pip-version-check": "1",
        }
    )
    assert environment == {
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_DEFAULT_INDEX": "https://one.example/simple",
        "UV_INDEX": "https://two.example/simple https://three.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": str(tmp_path),
        "UV_INSECURE_HOST": "one.example",
        "SSL_CERT_FILE": "/ca.pem",
        "UV_HTTP_TIMEOUT": "180",
    }


def test_a_folder_of_wheels_that_is_not_there_is_left_out(tmp_path):
    assert venv.uv_environment({"find-links": str(tmp_path / "missing")}) == {"UV_PYTHON_DOWNLOADS": "never"}


def test_the_script_itself_runs_and_reports_in_one_line():
    done = subprocess.run(
        [sys.executable, venv.__file__, "nonsense"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
