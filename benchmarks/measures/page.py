"""The work of the page's main thread while a server makes 200 deliveries a second."""

from collections.abc import Sequence

import httpx

from benchmarks.browsing import Browsing, Load
from benchmarks.filling import Owed
from benchmarks.processes import Child
from benchmarks.receiver import Receiver, url_of
from benchmarks.rows import Goal, Row
from benchmarks.run import Run

_RATE = 200
_EVERY_SECONDS = 0.25
_LONG = Goal(at_most=0.6)


def measure(run: Run) -> list[Row]:
    """Return a row for each figure; the database matters to none."""
    seconds = 1.0 if run.is_quick else 15.0
    loads = [_load(run, seconds) for _ in range(run.rounds)]
    what = f"{_RATE} deliveries a second for {seconds:g} s"
    return [
        Row.of(
            f"{what}, long tasks",
            [each.long_seconds for each in loads],
            "s",
            goal=_LONG,
            details={"rows at the end": _fewest(loads)},
        ),
        Row.of(f"{what}, main thread", [each.busy_seconds for each in loads], "s"),
        Row.of(f"{what}, key to frame", [each.key_ms for each in loads], "ms"),
    ]


def _fewest(loads: Sequence[Load]) -> int:
    return min(each.rows for each in loads)


def _load(run: Run, seconds: float) -> Load:
    owed = Owed(products=1, events=run.size(9_000, 20), url=url_of(run.port))
    with (
        Receiver.running(port=run.port),
        run.sqlite.copied(owed.key, owed.fill) as db,
        Child.running("server", {"kind": "server", "db": db, "works": True}) as server,
    ):
        url = f"http://127.0.0.1:{server.greeting['port']}"
        httpx.post(f"{url}/api/v1/deliveries/wait", timeout=60).raise_for_status()
        pace = {"db": db, "rate": _RATE, "seconds": seconds}
        with Browsing.opened(url) as browsing, Child.running("pacing", pace) as pacing:
            pacing.tell()
            load = browsing.load(seconds=seconds, every_seconds=_EVERY_SECONDS)
            pacing.told()
    return load
