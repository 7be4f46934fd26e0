"""Suites of a user, which the plugin's tests run."""

from collections.abc import Collection
from shutil import rmtree

import pytest

#: Plugins that are here for other suites.
OTHER_PLUGINS = ("faker", "django", "syrupy", "asyncio", "randomly", "schemathesis")


def options_without(*plugins: str) -> tuple[str, ...]:
    """Return the options that leave out plugins."""
    return tuple(option for plugin in plugins for option in ("-p", f"no:{plugin}"))


#: Without the plugins that are here for other suites.
WITHOUT_OTHER_PLUGINS = options_without(*OTHER_PLUGINS)

#: A receiver that accepts everything, and what the suite wires to it.
CONFTEST = """
import pytest
from leanbe_emitter.testing import Receiver

@pytest.fixture
def requests():
    return []

@pytest.fixture
def leanbe_receiver(requests):
    return Receiver(requests.append, path="/hooks/leanbe", secret="whsec_test")
"""


class Suite:
    """A user's test suite in a folder of its own."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester

    def run(
        self, test: str, *options: str, conftest: str = CONFTEST, using: Collection[str] = ()
    ) -> pytest.RunResult:
        """Run one file of tests in this process, with warnings as errors.

        Args:
            test: the file.
            options: pytest's.
            conftest: its conftest.py.
            using: which of the plugins that are here for other suites it needs.
        """
        self.write(test, conftest)
        return self.pytester.runpytest_inprocess(*_always(*options, using=using))

    def run_apart(self, test: str, *options: str, conftest: str = CONFTEST) -> pytest.RunResult:
        """Run it in a process of its own."""
        self.write(test, conftest)
        return self.pytester.runpytest_subprocess(*_always(*options))

    def write(self, test: str, conftest: str = CONFTEST) -> None:
        """Write the suite's two files, in place of those of a run before."""
        # What Python compiled of a file is known by its second and its size, which may be the same.
        rmtree(self.pytester.path / "__pycache__", ignore_errors=True)
        self.pytester.makeconftest(conftest)
        self.pytester.makepyfile(test_suite=test)


def _always(*options: str, using: Collection[str] = ()) -> tuple[str, ...]:
    left_out = options_without(*(plugin for plugin in OTHER_PLUGINS if plugin not in using))
    return (*left_out, "-p", "no:cacheprovider", "-W", "error", "--strict-markers", *options)
