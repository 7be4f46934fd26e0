"""The cost of ``stringify`` beside ``json.dumps``, on the article's customer payload.

The goal is at most 3 times: being exact must not be what limits a worker.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from timeit import repeat
from typing import Any

from benchmarks.rows import Goal, Ratio, Row
from benchmarks.run import Run
from leanbe_emitter import stringify

_GOAL = Goal(at_most=3)
_ROUNDS = 9
_PAYLOAD = Path(__file__).parents[2] / "tests" / "data" / "article-customer.json"


def measure(run: Run) -> list[Row]:
    """Return both times: plain, with accents, and with numbers that must be written exactly."""
    return list(_rows(run.size(5_000, 50)))


def _rows(calls: int) -> Iterator[Row]:
    customer = json.loads(_PAYLOAD.read_text(encoding="utf-8"))
    payloads = {
        "the article's customer": customer,
        "with accents": customer | {"firstName": "Zoë", "city": "東京"},
        "with a price of 19.99": customer | {"price": 19.99},
    }
    for name, payload in payloads.items():
        ours = _microseconds(stringify, payload, calls)
        theirs = _microseconds(json.dumps, payload, calls)
        ratio = Ratio.of([min(ours)], [min(theirs)], to="json.dumps", goal=_GOAL)
        yield Row.of(f"stringify, {name}", ours, "µs", ratios=[ratio])
        yield Row.of(f"json.dumps, {name}", theirs, "µs")


def _microseconds(write: Callable[[Any], str], payload: Any, calls: int) -> list[float]:
    """Return what one call costs, in rounds; the quickest counts, the others were disturbed."""
    seconds = repeat(lambda: write(payload), number=calls, repeat=_ROUNDS)
    return [each / calls * 1e6 for each in seconds]
