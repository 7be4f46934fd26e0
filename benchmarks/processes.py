"""The processes of a measure: each says when it is ready, begins when it is told, tells its result.

A child reads one line, the word to begin, and prints one line, its result as JSON; so the start of
an interpreter is part of no figure. How a child ends is not looked at: what it told counts.
"""

import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, TypeVar

from benchmarks import ROOT

#: After so long, a child has nothing to tell any more, and is killed.
_PATIENCE_SECONDS = 600.0
_NOTHING: Mapping[str, str] = MappingProxyType({})

#: Starts a child; takes what ``subprocess.Popen`` takes.
start_process: Callable[..., subprocess.Popen[str]] = subprocess.Popen

T = TypeVar("T")


class Disturbed(Exception):
    """Something came in between: what was measured is not what was to be measured."""


def undisturbed(measure: Callable[[], T], name: str) -> T:
    """Measure, and once more where it was disturbed; say so, and give up after that.

    A machine that stood still for seconds (a virtual one does) makes attempts fail that are then
    made again: nothing is lost, and no rate is to be had of it.
    """
    try:
        return measure()
    except Disturbed as disturbed:
        sys.stderr.write(f"{name} was disturbed, and is measured again: {disturbed}.\n")
        return measure()


@dataclass(frozen=True, kw_only=True)
class Child:
    """One process beside the benchmark's own.

    Attributes:
        greeting: what it told when it was ready.
    """

    process: subprocess.Popen[str]
    greeting: dict[str, Any] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def running(
        cls,
        module: str,
        options: Mapping[str, Any],
        *,
        python: Path = Path(sys.executable),
        root: Path = ROOT,
        environment: Mapping[str, str] = _NOTHING,
    ) -> Iterator[Self]:
        """Start a module of ours and wait until it is ready; it is killed when the block ends.

        Args:
            module: its name in ``benchmarks``.
            options: what it is started with.
            python: the interpreter.
            root: the checkout whose module it is.
            environment: variables beside those of this process.
        """
        process = start_process(
            [str(python), "-m", f"benchmarks.{module}", json.dumps(options)],
            cwd=root,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        child = cls(process=process)
        try:
            child.greeting.update(child.told())
            yield child
        finally:
            process.kill()
            process.communicate()

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid

    def tell(self, word: str = "go") -> None:
        """Write a line to it."""
        assert self.process.stdin is not None  # noqa: S101 - it was asked for
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def told(self, *, patience_seconds: float = _PATIENCE_SECONDS) -> dict[str, Any]:
        """Return what its next line says."""
        assert self.process.stdout is not None  # noqa: S101 - it was asked for
        patience = threading.Timer(patience_seconds, self.process.kill)
        patience.start()
        line = self.process.stdout.readline()
        patience.cancel()
        if not line:
            raise RuntimeError(f"{self.process.args!r} told nothing before its end.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(
        self, word: str = "go", *, patience_seconds: float = _PATIENCE_SECONDS
    ) -> dict[str, Any]:
        """Write a line to it, and return what its next line says."""
        self.tell(word)
        return self.told(patience_seconds=patience_seconds)

    def end(self) -> None:
        """Let it end by itself: it hears that no word follows, and cleans up."""
        assert self.process.stdin is not None  # noqa: S101 - it was asked for
        self.process.stdin.close()
        self.process.stdin = None
        self.process.wait(_PATIENCE_SECONDS)

    def cpu_seconds(self) -> float:
        """Return what all of its threads have used of the processor, nanoseconds counted."""
        return cpu_seconds(self.pid)

    def peak_bytes(self) -> int:
        """Return the most memory that it has ever held."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024


def cpu_seconds(pid: int) -> float:
    """Return what a process's threads have used of the processor."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((each / "schedstat").read_text().split()[0]) for each in threads) / 1e9


def used_by_children() -> float:
    """Return the seconds of CPU of all children of this process that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def say(**what: Any) -> None:
    """Tell the benchmark something; what a child calls."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def wait_for_word() -> str:
    """Wait for the benchmark's next line; what a child calls."""
    return sys.stdin.readline().strip()


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Measure the block; afterwards the yielded document says what it took."""
    result: dict[str, float] = {}
    started, used = time.perf_counter(), time.process_time()
    yield result
    result["seconds"] = time.perf_counter() - started
    result["cpu_seconds"] = time.process_time() - used
    result["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def options() -> dict[str, Any]:
    """Return what this child was started with."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    return given
