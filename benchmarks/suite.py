"""A test suite of somebody's, in a folder of its own, and what a run of pytest over it takes."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from leanbe_emitter.clock import stopwatch

_CONFTEST = """
import pytest
from leanbe_emitter.testing import Receiver

@pytest.fixture
def leanbe_receiver():
    return Receiver(lambda request: None, path="/hooks/leanbe", secret="whsec_test")

@pytest.fixture
def nothing():
    yield
"""
_TESTS = """
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_it({fixtures}, number):
    {body}
"""
_PLUGIN = ("-p", "leanbe_emitter.pytest_plugin")
#: Pytest alone, whatever plugins are installed beside ours.
_ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}


@dataclass(frozen=True, kw_only=True)
class Took:
    """The time of a run in milliseconds: on the wall, and of the processor."""

    waited: float
    used: float


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A suite, whose tests are all alike."""

    folder: Path

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator["Suite"]:
        """Make a suite that is gone when the block ends."""
        with TemporaryDirectory(prefix="leanbe-suite-") as folder:
            yield cls(folder=Path(folder))

    def run(self, *, tests: int, fixtures: str = "nothing", body: str = "pass") -> Took:
        """Run so many tests that use fixtures: ``leanbe, leanbe_product``, or one that is empty."""
        self._write("conftest.py", _CONFTEST)
        self._write("test_it.py", _TESTS.format(count=tests, fixtures=fixtures, body=body))
        return self._pytest(*_PLUGIN)

    def start(self, *, plugin: bool) -> Took:
        """Start pytest, with our plugin or without it, where nothing uses it; no test is run."""
        self._write("conftest.py", "")
        self._write("test_it.py", "def test_it(): pass\n")
        return self._pytest("--collect-only", *(_PLUGIN if plugin else ()))

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def _pytest(self, *options: str) -> Took:
        command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options)
        environment = {**os.environ, **_ALONE}
        started, used = stopwatch(), _used_by_children()
        subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, check=True)
        return Took(waited=(stopwatch() - started) * 1000, used=(_used_by_children() - used) * 1000)


def _used_by_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
