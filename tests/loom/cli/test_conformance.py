"""`loom conformance`: judges, lists, explains; what cannot be judged is never green."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loom.cli import conformance as cli
from loom.cli.exits import Exit
from loom_conformance import clauses, registry
from loom_conformance.document import load
from loom_conformance.report import FILES
from loom_conformance.result import Verdict
from tests.loom.cli.processes import children_of, loom_command, running, wait_until_gone

if TYPE_CHECKING:
    from tests.loom.cli.conftest import Loom

KNOWN = '[[known]]\n{what} = "{name}"\nreason = "It is old."\nlink = "https://bugs.example/1"\n'


def broken(mutant: str) -> str:
    """A fake bridge with a bug, as a command."""
    return shlex.join([sys.executable, "-m", "mutants.planted", mutant])


def test_the_fake_conforms(loom: Loom, tmp_path: Path) -> None:
    done = loom("conformance", "--target", "fake", "--select", "HB", "--report", str(tmp_path / "out"))
    assert done.exit_code == Exit.OK, done.stdout
    last, summary = done.stdout.splitlines()[-2:]
    assert last.startswith("✓ loom-testing 0.")
    assert last.endswith("conforms to the Loom bridge protocol")
    assert summary.startswith("  full HB ")
    assert "judging loom-testing" in done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(FILES)


def test_a_bridge_at_an_address_conforms(loom: Loom, address: str) -> None:
    done = loom("conformance", "-t", address, "-s", "HB", "-n", "2", "--json")
    assert (done.exit_code, done.stderr) == (Exit.OK, "")
    result = load(done.stdout, "stdout")
    assert (result.verdict, result.target.kind, result.target.address) == (
        Verdict.CONFORMS,
        "address",
        address,
    )
    assert (result.asked.jobs, result.asked.select) == (2, ["HB"])


def test_a_broken_bridge_fails_with_a_report_that_a_stranger_understands(loom: Loom, tmp_path: Path) -> None:
    """The fake, with the bug that a provider sees the caller's own id."""
    target = broken("calls-under-the-callers-id")
    done = loom("conformance", "-t", target, "-s", "ACT-1", "--report", str(tmp_path))
    assert done.exit_code == Exit.FAILED
    for words in (
        "✗ ACT-1.2 MUST  failed",
        "The provider is given the call under an id of the bridge's own, not under the caller's.",
        "tried     Two callers choose the same id: neither is what the provider is given.",
        "expected  ids of the bridge's own",
        "got       ['mine', 'mine']",
        "does not conform to the Loom bridge protocol",
    ):
        assert words in done.stdout
    assert "✗ ACT-1.2  the ids of the calls: expected ids of the bridge's own" in done.stderr
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    for words in (
        "What is to be mended",
        "Callers choose ids without knowing of each other",
        "<svg",
        "call c mine",
    ):
        assert words in page
    result = load((tmp_path / "result.json").read_text(encoding="utf-8"), "result")
    assert [one.clause for one in result.clauses if one.outcome == "failed"] == ["ACT-1.2"]


def test_known_failures_are_heeded_and_strict(loom: Loom, tmp_path: Path) -> None:
    target = broken("calls-under-the-callers-id")
    known = tmp_path / "known.toml"
    known.write_text(KNOWN.format(what="clause", name="ACT-1.2"), encoding="utf-8")
    heeded = loom("conformance", "-t", target, "-s", "ACT-1.2", "-s", "HB", "--known-failures", str(known))
    assert heeded.exit_code == Exit.OK, heeded.stdout
    assert "ACT-1.2 fails, as is known: It is old. (https://bugs.example/1)" in heeded.stdout
    stale = loom("conformance", "-s", "ACT-1.2", "--known-failures", str(known))
    assert stale.exit_code == Exit.FAILED
    assert "known failure: ACT-1.2 passes now: remove the entry" in stale.stdout
    flaky = loom("conformance", "-s", "ACT-1.2", "--known-flaky", str(known))
    assert flaky.exit_code == Exit.OK


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["--select", "NOPE"], Exit.USAGE, "error: no clause is named 'NOPE': there are BASE, NS,"),
        (["--select", "PUBB"], Exit.USAGE, "error: no clause is named 'PUBB': did you mean PUB"),
        (["--target", "rsut"], Exit.USAGE, "error: the target 'rsut' is none of fake, rust, docker,"),
        (["--level", "ALL"], Exit.USAGE, "error: invalid value for '--level'"),
        (["--known-failures", "none.toml"], Exit.USAGE, "error: invalid value for '--known-failures'"),
        (["--tls-key", __file__], Exit.USAGE, "error: tls.key is set and tls.certificate is not"),
        (["lst"], Exit.USAGE, "error: no such command 'lst'"),
        (["--target", "127.0.0.1:1"], Exit.NO_BRIDGE, "error: could not test 127.0.0.1:1: "),
        (["--select", "SES-9"], Exit.NO_BRIDGE, "no clause was judged"),
        (["explain", "NOPE"], Exit.USAGE, "error: no clause is named 'NOPE'"),
        (["list", "--select", "NOPE"], Exit.USAGE, "error: no clause is named 'NOPE'"),
        (["report", __file__], Exit.USAGE, "is not JSON"),
    ],
)
def test_what_cannot_be_judged_is_never_green(loom: Loom, args: list[str], code: Exit, says: str) -> None:
    done = loom("conformance", *args)
    assert done.exit_code == code
    assert says in done.stderr + done.stdout
    if says.startswith("error"):
        assert (done.stdout, done.stderr.count("\n")) == ("", 1)


def test_errors_are_data_where_json_is_wanted(loom: Loom) -> None:
    done = loom("conformance", "--select", "NOPE", "--json")
    assert (done.exit_code, done.stderr) == (Exit.USAGE, "")
    assert json.loads(done.stdout)["error"]["message"].startswith("no clause is named 'NOPE'")


def test_a_malformed_list_is_misuse(loom: Loom, tmp_path: Path) -> None:
    known = tmp_path / "known.toml"
    known.write_text('[[known]]\nclause = "HB-1.1"\n', encoding="utf-8")
    done = loom("conformance", "--known-failures", str(known))
    assert (done.exit_code, done.stdout) == (Exit.USAGE, "")
    assert "entry 1: say the reason" in done.stderr


def test_a_folder_that_cannot_be_made_is_told_before_the_run(loom: Loom, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = loom("conformance", "--report", str(tmp_path / "file" / "out"))
    assert (done.exit_code, "judging" in done.stderr) == (Exit.USAGE, False)


def test_what_cannot_be_had_here_could_not_be_tested(loom: Loom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOM_BRIDGE_BIN", "/no/such/bridge")
    done = loom("conformance", "--target", "rust")
    assert done.exit_code == Exit.NO_BRIDGE
    assert "LOOM_BRIDGE_BIN" in done.stderr


def test_a_broken_suite_could_not_test(loom: Loom, monkeypatch: pytest.MonkeyPatch) -> None:
    def load_clauses() -> None:
        raise clauses.ClausesError("clauses.toml: it is torn")

    monkeypatch.setattr(clauses, "load", load_clauses)
    done = loom("conformance")
    assert (done.exit_code, done.stderr) == (Exit.NO_BRIDGE, "error: clauses.toml: it is torn\n")


def test_a_check_without_a_clause_fails_the_run(loom: Loom, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = registry.load()
    stray = registry.Check("stray", "HB-99.1", "Tries nothing.", checks[0].body)
    monkeypatch.setattr(registry, "load", lambda: [*checks, stray])
    done = loom("conformance", "--select", "HB-1.1")
    assert done.exit_code == Exit.NO_BRIDGE
    assert "the check stray judges HB-99.1, which is no clause" in done.stdout


def test_a_clause_without_a_check_fails_the_run(loom: Loom, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = [check for check in registry.load() if check.clause != "HB-1.2"]
    monkeypatch.setattr(registry, "load", lambda: checks)
    done = loom("conformance", "--select", "HB-1.1")
    assert done.exit_code == Exit.NO_BRIDGE
    assert "no check judges HB-1.2" in done.stdout


def test_a_bridge_that_lacks_what_full_demands(loom: Loom, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake, with clauses of a feature that it does not have."""
    resume = [one for one in clauses.load() if one.feature == "resume"]
    built = [clauses.Clause("SES-8.1", "MUST", 1, "resume", "It resumes.", "So.")]
    own = [one for one in clauses.load() if one not in resume]
    check = registry.Check("resumes", "SES-8.1", "Resumes.", registry.load()[0].body)
    known = [*registry.load(), check]
    monkeypatch.setattr(clauses, "load", lambda: [*own, *built])
    monkeypatch.setattr(registry, "load", lambda: known)
    args = ("conformance", "-s", "HB", "-s", "SES-8")
    full = loom(*args)
    assert full.exit_code == Exit.FAILED
    assert "the profile full demands resume" in full.stdout
    assert loom(*args, "--profile", "base").exit_code == Exit.OK


def test_an_interrupted_run_ends_cleanly_and_leaves_no_bridge_behind(tmp_path: Path) -> None:
    with running(loom_command("conformance", "--select", "ACT"), tmp_path) as run:
        run.wait_for(lambda line: "judging loom-testing" in line, err=True)
        bridges = children_of(run.process.pid)
        assert bridges
        assert run.end(signal.SIGINT) == Exit.INTERRUPTED
    wait_until_gone(bridges)
    assert not any("Traceback" in line for line in run.err), run.err
    assert run.out == []


# Looking things up.


def test_clauses_are_listed(loom: Loom) -> None:
    done = loom("conformance", "list", "-s", "HB", "--level", "must")
    assert done.exit_code == Exit.OK
    assert done.stdout.startswith("HB  Heartbeat\n  HB-1.1  MUST    ")
    told = json.loads(loom("conformance", "list", "--json").stdout)
    assert [one["id"] for one in told] == [clause.id for clause in clauses.load()]


def test_clauses_are_explained(loom: Loom) -> None:
    done = loom("conformance", "explain", "hb-1", "SES-1.1")
    assert done.exit_code == Exit.OK
    assert done.stdout.startswith("HB-1.1") or done.stdout.startswith("SES-1.1")
    for words in ("HB-1.1  MUST", "SES-1.1  MUST", "    why    ", "    tried  "):
        assert words in done.stdout
    told = json.loads(loom("conformance", "explain", "HB-1.1", "--json").stdout)
    assert [one["id"] for one in told] == ["HB-1.1"]
    assert told[0]["checks"][0]["summary"]


def test_the_doctor(loom: Loom) -> None:
    done = loom("conformance", "doctor")
    assert done.exit_code == Exit.OK, done.stdout
    assert done.stdout.endswith("✓ all is well\n")
    away = loom("conformance", "doctor", "--target", "127.0.0.1:1", "--json")
    assert (away.exit_code, json.loads(away.stdout)["ok"]) == (Exit.FAILED, False)


def test_reports_are_drawn_again(loom: Loom, tmp_path: Path) -> None:
    loom("conformance", "-s", "HB-1.1", "--report", str(tmp_path / "a"))
    before = (tmp_path / "a" / "index.html").read_bytes()
    (tmp_path / "a" / "index.html").unlink()
    done = loom("conformance", "report", str(tmp_path / "a" / "result.json"))
    assert done.exit_code == Exit.OK
    assert (tmp_path / "a" / "index.html").read_bytes() == before
    done = loom(
        "conformance", "report", str(tmp_path / "a" / "result.json"), "--to", str(tmp_path / "b"), "--json"
    )
    written = json.loads(done.stdout)["written"]
    assert [Path(path).name for path in written] == list(FILES)
    assert (tmp_path / "b" / "index.html").read_bytes() == before


# The command itself.


def test_its_words_are_those_of_the_suite() -> None:
    from loom_conformance.conclude import PROFILES

    assert (cli.LEVELS, cli.PROFILES) == (clauses.LEVELS, PROFILES)


def test_its_help_needs_nothing_of_the_suite() -> None:
    script = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "from loom.cli import main\n"
        "try: main(['conformance', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'grpc', 'google', 'pydantic', 'asyncio', 'loom_conformance', 'loom_testing'}\n"
        "print(sorted(heavy & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
