"""Suites of a user, which the plugin's tests run."""

import pytest

#: Without the plugins that are here for other suites.
ALONE = tuple(
    option
    for plugin in ("faker", "django", "syrupy", "asyncio", "randomly")
    for option in ("-p", f"no:{plugin}")
)

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

    def run(self, test: str, *options: str, conftest: str = CONFTEST) -> pytest.RunResult:
        """Run one file of tests in this process, with warnings as errors."""
        self.write(test, conftest)
        return self.pytester.runpytest_inprocess(*_always(*options))

    def run_apart(self, test: str, *options: str, conftest: str = CONFTEST) -> pytest.RunResult:
        """Run it in a process of its own."""
        self.write(test, conftest)
        return self.pytester.runpytest_subprocess(*_always(*options))

    def write(self, test: str, conftest: str = CONFTEST) -> None:
        """Write the suite's two files."""
        self.pytester.makeconftest(conftest)
        self.pytester.makepyfile(test_suite=test)


def _always(*options: str) -> tuple[str, ...]:
    return (*ALONE, "-p", "no:cacheprovider", "-W", "error", "--strict-markers", *options)
