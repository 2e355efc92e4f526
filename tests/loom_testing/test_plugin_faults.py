"""What the plugin does with faults: who has a proxy, what never fired, where chance comes from."""

from __future__ import annotations

import pytest

from tests.loom_testing.plugged import Project

pytest_plugins = ["pytester"]

PLAIN = ("-p", "no:asyncio", "-p", "no:anyio", "-p", "no:randomly")


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Runs tests in a project of their own."""
    for name in ("LOOM_TEST_BRIDGE", "LOOM_TEST_SEED"):
        monkeypatch.delenv(name, raising=False)

    def run(tests: str, *arguments: str, **files: str) -> pytest.RunResult:
        return Project(pytester, test_it=tests, **files).run(*PLAIN, *arguments)

    return run


def test_a_fault_that_never_fired_fails_the_test(run):
    result = run("""
        def test_in_a_with(loom_bridge):
            with loom_bridge.faults.drop(type="reply"):
                pass

        def test_that_nobody_ended(loom_bridge):
            loom_bridge.faults.drop(type="reply").start()

        def test_optional(loom_bridge):
            with loom_bridge.faults.drop(type="reply", optional=True):
                pass
            loom_bridge.faults.drop(type="reply", optional=True).start()

        def test_fails_for_a_reason_of_its_own(loom_bridge):
            loom_bridge.faults.drop(type="reply").start()
            assert 1 == 2
    """)
    result.assert_outcomes(passed=2, failed=2, errors=1)
    said = "the fault drop(kind='publish', type='reply') never fired: nothing that crossed fitted it. *"
    result.stdout.fnmatch_lines([f"E  *UnfiredError: {said}"])
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_that_nobody_ended*", said])
    result.stdout.no_fnmatch_line("*at teardown of test_fails_for*")


def test_a_fault_that_was_never_begun_fails_the_test(run):
    result = run(
        """
        import pytest

        def test_forgotten(loom_bridge):
            loom_bridge.faults.drop(topic="order.placed")

        def test_a_script_forgotten(loom_bridge):
            loom_bridge.faults.script({"fault": [{"do": "drop"}]})

        def test_begun(loom_bridge):
            lost = loom_bridge.faults.disconnect(kind="publish", optional=True)
            with lost, loom_bridge.faults.script({"fault": [{"do": "drop", "optional": True}]}):
                pass

        def test_fails_for_a_reason_of_its_own(loom_bridge):
            loom_bridge.faults.drop()
            assert 1 == 2
        """
    )
    result.assert_outcomes(passed=3, failed=1, errors=2)
    said = "the fault drop(kind='publish', topic='order.placed') was never begun: put it into a with"
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_forgotten*", said])
    result.stdout.fnmatch_lines(["the script was never begun: put it into a with"])
    result.stdout.no_fnmatch_line("*at teardown of test_fails_for*")


def test_the_traceback_ends_at_the_tests_own_line(run):
    result = run("""
        def test_it(loom_bridge):
            with loom_bridge.faults.drop(type="reply"):
                pass
    """)
    assert "loom_testing/faults" not in result.stdout.str().replace("loom_testing/faults/errors.py", "")


def test_contradictions_are_told(run):
    result = run("""
        import pytest
        from loom_testing.faults import FaultError

        def test_it(loom_bridge):
            with loom_bridge.faults.drop(kind="publish", optional=True):
                with pytest.raises(FaultError, match="contradicts"):
                    loom_bridge.faults.duplicate(kind="publish").start()
    """)
    result.assert_outcomes(passed=1)


def test_who_has_a_proxy_and_who_has_a_bridge_of_its_own(run):
    result = run("""
        import pytest

        def has(loom_bridge):
            return loom_bridge.space.proxy is not None, type(loom_bridge.host).__name__ == "OwnHost"

        def test_neither(loom_bridge):
            assert has(loom_bridge) == (False, False)

        def test_faults(loom_bridge):
            loom_bridge.faults.drop(optional=True)
            assert has(loom_bridge) == (True, False)

        def test_process(loom_bridge):
            assert loom_bridge.process.pid
            assert has(loom_bridge) == (True, True)

        @pytest.fixture
        def weather(loom_bridge):
            return loom_bridge.faults

        def test_by_its_fixture(loom_bridge, weather):
            assert has(loom_bridge) == (True, False)

        def helper(bridge):
            return bridge.faults

        def test_by_a_function_of_its_module(loom_bridge):
            helper(loom_bridge)
            assert has(loom_bridge) == (True, False)

        def test_by_another_name(loom_bridge):
            b = loom_bridge
            assert b.faults is not None
            assert has(loom_bridge) == (True, False)

        class TestTogether:
            def test_by_a_method_of_its_class(self, loom_bridge):
                self.inject(loom_bridge)
                assert has(loom_bridge) == (True, False)

            def inject(self, it):
                it.faults.drop(optional=True)

        @pytest.mark.loom(faults=True)
        def test_by_its_marker(loom_bridge):
            assert has(loom_bridge) == (True, False)

        @pytest.mark.loom(process=True)
        def test_process_by_its_marker(loom_bridge):
            assert has(loom_bridge) == (True, True)

        @pytest.mark.loom(faults=False)
        def test_the_marker_wins(loom_bridge):
            assert has(loom_bridge) == (False, False)
            with pytest.raises(Exception):
                loom_bridge.faults
    """)
    result.assert_outcomes(passed=10)


def test_a_use_that_nobody_can_see_is_told_what_to_add(run):
    result = run(
        """
        from elsewhere import inject, kill

        def test_faults(loom_bridge):
            inject(loom_bridge)

        def test_process(loom_bridge):
            kill(loom_bridge)
        """,
        elsewhere="""
        def inject(anything):
            anything.faults.drop()

        def kill(anything):
            anything.process.kill()
        """,
    )
    result.assert_outcomes(failed=2)
    for said in (
        "injected: add @pytest.mark.loom(faults=True) to the test",
        "others: @pytest.mark.loom(process=True) gives it one of its own, to be killed and started anew",
    ):
        result.stdout.fnmatch_lines([f"E  *HarnessError: this test*{said}"])


CHANCE = """
    import pytest

    def test_chance(loom_bridge):
        with loom_bridge.faults.drop(kind="publish", probability=0.5, optional=True):
            print(f"SEED {loom_bridge.faults.seed}")
            assert False

    def test_no_chance(loom_bridge):
        with loom_bridge.faults.drop(kind="publish"):
            assert False
"""


def test_a_test_that_left_something_to_chance_says_how_to_repeat_it(run):
    result = run(CHANCE, "--loom-seed=42")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["loom: seed 42", "*SEED 42*", "left to chance: repeat with --loom-seed=42"])
    assert result.stdout.str().count("repeat with") == 1


def test_without_a_seed_it_is_always_the_same(run):
    result = run(CHANCE, "-k", "test_chance")
    result.stdout.fnmatch_lines(["*SEED 0*", "left to chance: repeat with --loom-seed=0"])
    result.stdout.no_fnmatch_line("loom: seed*")


def test_the_variable_gives_a_seed_and_the_option_wins(run, monkeypatch):
    monkeypatch.setenv("LOOM_TEST_SEED", "5")
    run(CHANCE, "-k", "test_chance").stdout.fnmatch_lines(["loom: seed 5", "*SEED 5*"])
    run(CHANCE, "-k", "test_chance", "--loom-seed=6").stdout.fnmatch_lines(["loom: seed 6", "*SEED 6*"])


def test_a_random_seed_is_told(run):
    result = run(CHANCE, "-k", "test_chance", "--loom-seed=random")
    (header,) = [line for line in result.outlines if line.startswith("loom: seed ")]
    seed = int(header.removeprefix("loom: seed "))
    result.stdout.fnmatch_lines([f"*SEED {seed}*", f"left to chance: repeat with --loom-seed={seed}"])


def test_the_workers_of_xdist_share_a_random_seed(run):
    pytest.importorskip("xdist")
    result = run(
        """
        import pytest

        @pytest.mark.parametrize("number", range(4))
        def test_it(loom_bridge, number):
            print(f"SEED {loom_bridge.faults.seed}")
            assert False
        """,
        "-n2",
        "--loom-seed=random",
    )
    seeds = {line.split("SEED ")[1] for line in result.outlines if line.startswith("SEED ")}
    assert len(seeds) == 1


@pytest.mark.parametrize("seed", ["seven", "1.5", ""])
def test_a_seed_that_is_none(run, seed):
    result = run(CHANCE, f"--loom-seed={seed}")
    if seed:
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([f"*--loom-seed is '{seed}': give a whole number, or random"])
    else:
        result.assert_outcomes(failed=2)  # nothing said


def test_a_test_that_cannot_have_its_own_bridge_leaves_none_behind(run):
    result = run("""
        import os, subprocess
        import pytest

        @pytest.mark.loom(process=True, limits={"no_such_limit": 1})
        def test_it(loom_bridge):
            pass

        def test_children():
            command = ["ps", "--ppid", str(os.getpid()), "-o", "args="]
            listed = subprocess.run(command, capture_output=True, text=True)
            assert [line for line in listed.stdout.splitlines() if "loom" in line] == []
    """)
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["loom_bridge: unknown limit 'no_such_limit'*"])


def test_a_bridge_elsewhere_cannot_be_killed(run):
    result = run(
        """
        import asyncio
        import pytest
        from loom_testing.harness.process import FakeProcess
        from loom_testing.harness.host import RemoteHost
        from loom_testing.harness.own import OwnHost

        def test_it(loom_bridge):
            with pytest.raises(Exception, match="is not the test's own: loom_bridge.process needs"):
                OwnHost(lambda: RemoteHost(loom_bridge.host.address))
        """
    )
    result.assert_outcomes(passed=1)
