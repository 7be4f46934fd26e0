"""Workers over a bench, for tests of the engine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from leanbe_emitter.delivery.network.transport import Transport
from leanbe_emitter.delivery.queue.queue import Queue
from leanbe_emitter.delivery.watching import Watcher
from leanbe_emitter.delivery.worker.database_caller import DatabaseCaller, inline
from leanbe_emitter.delivery.worker.metrics import Counters
from leanbe_emitter.delivery.worker.wakeups import Wakeups, no_wakeups
from leanbe_emitter.delivery.worker.worker import GRACE_SECONDS, Worker
from tests.support.engine_setup import Bench, RecordingWatcher


def new_worker(
    bench: Bench,
    transport: Transport,
    *,
    queue: Queue | None = None,
    concurrency: int = 64,
    per_product: int = 16,
    poll_seconds: float = 0.005,
    watcher: Watcher | None = None,
    counters: Counters | None = None,
    wakeups: Wakeups = no_wakeups,
    grace_seconds: float = GRACE_SECONDS,
    call: DatabaseCaller = inline,
) -> Worker:
    """Return a worker that sends by a transport."""
    return Worker(
        queue or bench.queue(),
        bench.sender(transport),
        clock=bench.clock,
        concurrency=concurrency,
        per_product=per_product,
        poll_seconds=poll_seconds,
        call=call,
        watcher=watcher or RecordingWatcher(),
        counters=counters,
        wakeups=wakeups,
        grace_seconds=grace_seconds,
    )


@asynccontextmanager
async def run_worker(worker: Worker) -> AsyncIterator[asyncio.Task[None]]:
    """Run a worker during the block, and stop it then."""
    task = asyncio.create_task(worker.run())
    try:
        yield task
    finally:
        worker.stop()
        await task
