"""Suites of a user, which the plugin's tests run."""

from collections.abc import Collection
from shutil import rmtree

import pytest

#: Installed plugins that only other suites need.
OTHER_PLUGINS = ("faker", "django", "syrupy", "asyncio", "randomly", "schemathesis")


def options_without(*plugins: str) -> tuple[str, ...]:
    """Return the options of pytest that turn plugins off."""
    return tuple(option for plugin in plugins for option in ("-p", f"no:{plugin}"))


#: Options that turn these plugins off.
WITHOUT_OTHER_PLUGINS = options_without(*OTHER_PLUGINS)

#: conftest.py with a receiver that accepts everything.
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
    """A user's test suite in a temporary folder."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester

    def run(
        self, test: str, *options: str, conftest: str = CONFTEST, using: Collection[str] = ()
    ) -> pytest.RunResult:
        """Run one test file in this process, with warnings as errors.

        Args:
            test: the text of the file.
            options: options of pytest.
            conftest: the text of its conftest.py.
            using: plugins of other suites that this suite needs.
        """
        self.write(test, conftest)
        return self.pytester.runpytest_inprocess(*_always(*options, using=using))

    def run_as_process(
        self, test: str, *options: str, conftest: str = CONFTEST
    ) -> pytest.RunResult:
        """Run one test file in a process of its own.

        It needs no plugin for asynchronous tests, which would import trio in each process.
        """
        self.write(test, conftest)
        return self.pytester.runpytest_subprocess(*_always("-p", "no:anyio", *options))

    def write(self, test: str, conftest: str = CONFTEST) -> None:
        """Write the suite's two files over those of an earlier run."""
        # Python identifies a compiled file by its second and size, which may be the same.
        rmtree(self.pytester.path / "__pycache__", ignore_errors=True)
        self.pytester.makeconftest(conftest)
        self.pytester.makepyfile(test_suite=test)


def _always(*options: str, using: Collection[str] = ()) -> tuple[str, ...]:
    left_out = options_without(*(plugin for plugin in OTHER_PLUGINS if plugin not in using))
    return (*left_out, "-p", "no:cacheprovider", "-W", "error", "--strict-markers", *options)
