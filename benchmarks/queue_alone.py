"""The database alone, as a process: claim a batch, settle it as accepted, and again; no sending."""

from benchmarks import engine
from benchmarks.processes import measured, options, say, wait_for_word
from leanbe_emitter.storage.engine.database import Database


def _drain(*, db: str, batch: int) -> None:
    database = Database(db)
    queue = engine.queue_of(database)
    queue.due()
    say(ready=True)
    wait_for_word()
    with measured() as result:
        while claimed := engine.claim(queue, batch):
            engine.settle(queue, claimed)
    say(**result)
    database.close()


if __name__ == "__main__":
    _drain(**options())
