"""The cost of the plugin in a run that does not use it: next to nothing."""

import subprocess
import sys

import pytest

from tests.support.user_suites import Suite

HEAVY = {"sqlalchemy", "alembic", "httpx", "httptools", "tenacity", "click", "asyncio"}


def test_the_plugin_loads_nothing_that_pytest_has_not_loaded() -> None:
    program = (
        "import sys, pytest; before = set(sys.modules); import leanbe_emitter.pytest_plugin; "
        "print(*(set(sys.modules) - before))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert set(finished.stdout.split()) == {"leanbe_emitter", "leanbe_emitter.pytest_plugin"}


def test_a_run_that_does_not_use_it_loads_nothing_heavy(suite: Suite) -> None:
    test = f"""
        import sys

        def test_it():
            ours = {{name for name in sys.modules if name.startswith("leanbe_emitter")}}
            assert ours == {{"leanbe_emitter", "leanbe_emitter.pytest_plugin"}}
            assert not set(sys.modules) & {HEAVY - {"asyncio"}!r}
    """
    finished = suite.run_as_process(test, conftest="")
    finished.assert_outcomes(passed=1)


def test_the_header_shows_the_seed(suite: Suite) -> None:
    finished = suite.run("def test_it(): pass", "--leanbe-seed", "42")
    finished.stdout.fnmatch_lines(["leanbe: --leanbe-seed=42"])


def test_the_plugin_can_be_left_out(suite: Suite) -> None:
    tests = """
        def test_without(): pass

        def test_with(leanbe): pass
    """
    finished = suite.run_as_process(tests, "-p", "no:leanbe", conftest="")
    finished.assert_outcomes(passed=1, errors=1)
    finished.stdout.no_fnmatch_line("leanbe:*")
    finished.stdout.fnmatch_lines(["*fixture 'leanbe' not found"])


def test_an_option_for_a_plugin_that_is_left_out_is_refused(suite: Suite) -> None:
    without = ("-p", "no:leanbe")
    option = suite.run_as_process("def test_it(): pass", *without, "--leanbe-seed=1", conftest="")
    assert option.ret == pytest.ExitCode.USAGE_ERROR
    option.stderr.fnmatch_lines(["*unrecognized arguments: --leanbe-seed=1"])
    suite.pytester.makeini("[pytest]\nleanbe_app_errors = record\n")
    ini = suite.run_as_process("def test_it(): pass", *without, "--strict-config", conftest="")
    assert ini.ret == pytest.ExitCode.USAGE_ERROR
    ini.stderr.fnmatch_lines(["*Unknown config option: leanbe_app_errors"])
    suite.run("def test_it(): pass", "--strict-config", conftest="").assert_outcomes(passed=1)


def test_a_failing_test_without_the_fixture_is_reported_as_ever(suite: Suite) -> None:
    finished = suite.run("def test_it(): assert 1 == 2")
    finished.assert_outcomes(failed=1)
    finished.stdout.no_fnmatch_line("*deliver*")
