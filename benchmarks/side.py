"""One of two checkouts that are compared: a process that measures, once, what it is told."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from benchmarks.processes import options, say, wait_for_word
from benchmarks.run import Run


def _serve(*, database: str | None, match: Sequence[str], quick: bool) -> None:
    how: dict[str, Any] = {"database": database, "match": match, "rounds": 1, "quick": quick}
    with Run.opened(**how) as run:
        say(ready=True)
        while measure := wait_for_word():
            rows = import_module(f"benchmarks.measures.{measure}").measure(run)
            say(rows=[row.fields() for row in rows])


if __name__ == "__main__":
    _serve(**options())
