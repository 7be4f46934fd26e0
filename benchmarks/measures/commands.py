"""The cost of a small command, ``trigger --no-deliver``: CPU from its start to its end.

The interpreter has its bytecode, as after any installation; beside it stands a Python that does
nothing.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from statistics import median

from benchmarks import ROOT
from benchmarks.databases import SqliteStore
from benchmarks.filling import Owed
from benchmarks.processes import used_by_children
from benchmarks.receiver import url_of
from benchmarks.rows import Ratio, Row
from benchmarks.run import Run

_TRIGGER = ("-m", "leanbe_emitter", "trigger", "idea.created", "--no-deliver")
_NOTHING = ("-c", "pass")
#: So many runs of a command are a round: the median of them counts.
_RUNS = 9


def measure(run: Run) -> list[Row]:
    """Return the rows."""
    owed = Owed(products=1, events=0, url=url_of(run.port))
    rounds = [_round(run.sqlite, owed, run.size(_RUNS, 1)) for _ in range(run.rounds)]
    triggers, nothings = ([each[n] for each in rounds] for n in (0, 1))
    ratio = Ratio.of(triggers, nothings, to="a Python that does nothing")
    return [
        Row.of("trigger --no-deliver", triggers, "ms of CPU", ratios=[ratio]),
        Row.of("a Python that does nothing", nothings, "ms of CPU"),
    ]


def _round(store: SqliteStore, owed: Owed, runs: int) -> tuple[float, float]:
    """Return the milliseconds of both, which take turns."""
    with store.copied(owed.key, owed.fill) as db:
        _used([*_TRIGGER, "--db", db])  # what Python keeps of our modules is there from now on
        pairs = [(_used([*_TRIGGER, "--db", db]), _used(_NOTHING)) for _ in range(runs)]
    triggers, nothings = zip(*pairs, strict=True)
    return median(triggers), median(nothings)


def _used(arguments: Sequence[str]) -> float:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    used = used_by_children()
    subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, check=True
    )
    return (used_by_children() - used) * 1000
