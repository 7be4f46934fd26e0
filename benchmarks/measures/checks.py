"""The time of ``check``: of a check in process, and of a run over the loopback.

The receiver is the example, without a flaw. One of them works 400 ms after its answer.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter

from benchmarks.checking import SECRET, check_at, check_in_process
from benchmarks.rows import Goal, Row
from benchmarks.run import Run

_RIGHT = "none"
_SLOW = "works_later"


def measure(run: Run) -> list[Row]:
    """Return the time of a check in process, and of runs over the loopback."""
    return [
        _in_process(run.size(5, 1) * run.rounds),
        *_over_loopback("without an observation", _RIGHT, run.rounds, is_observed=False, seconds=2),
        *_over_loopback("with an observation", _RIGHT, run.rounds, is_observed=True, seconds=10),
        *(
            _over_loopback("with a worker of 400 ms", _SLOW, 1, is_observed=True, seconds=20)
            if not run.is_quick
            else ()
        ),
    ]


def _in_process(rounds: int) -> Row:
    took = []
    for _ in range(rounds):
        begun = perf_counter()
        report = check_in_process()
        took.append((perf_counter() - begun) / len(report.results) * 1000)
    return Row.of("in process, a check", took, "ms", goal=Goal(at_most=10))


def _over_loopback(
    what: str, flaw: str, rounds: int, *, is_observed: bool, seconds: float
) -> Iterator[Row]:
    with _receiver(flaw) as url:
        reports = [check_at(url, is_observed=is_observed) for _ in range(rounds)]
    took = [each.seconds for each in reports]
    yield Row.of(f"a run {what}", took, "s", goal=Goal(at_most=seconds))
    if not is_observed:
        counts = [float(each.requests) for each in reports]
        yield Row.of(f"a run {what}, requests", counts, "requests", goal=Goal(at_most=120))


@contextmanager
def _receiver(flaw: str) -> Iterator[str]:
    command: Sequence[str] = ("receiver", "--secret", SECRET, "--port", "0", "--flaw", flaw)
    with subprocess.Popen(
        [sys.executable, "-m", "leanbe_emitter", *command, "--output", "plain"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()
