"""A process that records events at a fixed rate, whatever happens: an open loop.

Each event has its instant; one that is late is recorded at once, and nothing is left out, so that a
wait of the emitter itself shows in the time since the scheduled instant (coordinated omission).
"""

from sqlalchemy import text

from benchmarks.filling import happened
from benchmarks.processes import options, say, wait_for_word
from leanbe_emitter.clock import SystemClock, pause, stopwatch
from leanbe_emitter.ids import Ids
from leanbe_emitter.outbox import record
from leanbe_emitter.storage.engine.database import Database


def _emit(*, db: str, per_second: int, events: int) -> None:
    database, ids = Database(db), Ids()
    with database.reading() as session:
        products = list(session.scalars(text("SELECT id FROM products ORDER BY id")))
    say(ready=True)
    wait_for_word()
    begun = stopwatch()
    scheduled, committed = [], []
    for number in range(events):
        at = begun + number / per_second
        pause(max(0.0, at - stopwatch()))
        with database.transaction() as session:
            event = happened(products[number % len(products)], number)
            record(session, [event], now=SystemClock().now(), ids=ids)
        scheduled.append(at)
        committed.append(stopwatch())
    say(scheduled=scheduled, committed=committed)
    database.close()


if __name__ == "__main__":
    _emit(**options())
