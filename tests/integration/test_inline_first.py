"""On a SQLite file, a worker's loop does work that does not block, and its thread all else."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event

from leanbe_emitter import Leanbe
from leanbe_emitter.delivery.network.transport import Answer, OutgoingRequest
from leanbe_emitter.delivery.worker.database_caller import SLOW_SECONDS, THREAD_SECONDS, InlineFirst
from leanbe_emitter.delivery.worker.metrics import Counters
from leanbe_emitter.storage.engine.database import Database
from tests.support.engine_setup import Bench
from tests.support.event_loops import run_in_loop
from tests.support.scripted_transport import ScriptedTransport
from tests.support.waiting import async_wait_until
from tests.support.workers import new_worker

Work = Callable[[Database], threading.Thread]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    with Leanbe(f"sqlite:///{file}") as leanbe:
        yield leanbe._database


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as thread:
        yield thread


@contextmanager
def lock_by_other_program(file: Path, *how: str) -> Iterator[None]:
    """Let another program lock the file for as long as the block lasts."""
    with closing(sqlite3.connect(file, isolation_level=None)) as another_program:
        for statement in how or ("BEGIN IMMEDIATE",):
            another_program.execute(statement).fetchall()
        yield


def write(database: Database) -> threading.Thread:
    """Write, and say in which thread."""
    with database.transaction() as session:
        session.connection()
        return threading.current_thread()


def read(database: Database) -> threading.Thread:
    """Read, and say in which thread."""
    with database.reading() as session:
        session.connection()
        return threading.current_thread()


@pytest.mark.parametrize("work", [read, write])
@run_in_loop
async def test_work_that_does_not_block_is_done_on_the_loops_own_thread(
    database: Database, thread: ThreadPoolExecutor, work: Work
) -> None:
    call = InlineFirst(thread)
    assert await call(partial(work, database)) is threading.current_thread()


@run_in_loop
async def test_while_another_program_writes_the_loop_goes_on(
    database: Database, file: Path, thread: ThreadPoolExecutor
) -> None:
    with lock_by_other_program(file):
        written = asyncio.ensure_future(InlineFirst(thread)(partial(write, database)))
        await asyncio.sleep(0)
        assert not written.done()
    assert await written is not threading.current_thread()
    assert database.failures == 0


@run_in_loop
async def test_while_another_program_has_the_file_alone_the_loop_goes_on(
    database: Database, file: Path, thread: ThreadPoolExecutor
) -> None:
    with closing(database.engine.raw_connection()) as one:
        # As on a disk where SQLite cannot have a log beside the file: who writes stops who reads.
        one.cursor().execute("PRAGMA journal_mode = DELETE")
    with lock_by_other_program(file, "BEGIN EXCLUSIVE"):
        found = asyncio.ensure_future(InlineFirst(thread)(partial(read, database)))
        await asyncio.sleep(0)
        assert not found.done()
    assert await found is not threading.current_thread()


@run_in_loop
async def test_a_file_is_opened_by_the_thread(
    database: Database, thread: ThreadPoolExecutor
) -> None:
    database.engine.dispose()
    call = InlineFirst(thread)
    assert await call(partial(read, database)) is not threading.current_thread()
    assert await call(partial(read, database)) is threading.current_thread()


@run_in_loop
async def test_while_another_thread_of_this_process_writes_the_loop_goes_on(
    database: Database, thread: ThreadPoolExecutor
) -> None:
    begun, ends = threading.Event(), threading.Event()

    def write_for_long() -> None:
        with database.transaction():
            begun.set()
            ends.wait()

    other = asyncio.create_task(asyncio.to_thread(write_for_long))
    await asyncio.to_thread(begun.wait)
    written = asyncio.ensure_future(InlineFirst(thread)(partial(write, database)))
    await asyncio.sleep(0)
    assert not written.done()
    ends.set()
    await other
    assert await written is not threading.current_thread()


@run_in_loop
async def test_work_queues_behind_the_work_of_the_thread(
    database: Database, file: Path, thread: ThreadPoolExecutor
) -> None:
    call = InlineFirst(thread)
    with lock_by_other_program(file):
        written = asyncio.ensure_future(call(partial(write, database)))
        await asyncio.sleep(0)
        found = asyncio.ensure_future(call(partial(read, database)))
        await asyncio.sleep(0)
        assert not found.done()
    assert await written is await found is not threading.current_thread()
    assert await call(partial(read, database)) is threading.current_thread()


@run_in_loop
async def test_a_slow_disk_is_left_to_the_thread_for_a_while(
    database: Database, thread: ThreadPoolExecutor
) -> None:
    now = [0.0]

    def write_slowly() -> threading.Thread:
        now[0] += 2 * SLOW_SECONDS
        return write(database)

    call = InlineFirst(thread, now=lambda: now[0])
    assert await call(write_slowly) is threading.current_thread()
    assert await call(partial(write, database)) is not threading.current_thread()
    now[0] += THREAD_SECONDS
    assert await call(partial(write, database)) is threading.current_thread()


@run_in_loop
async def test_nonblocking_work_leaves_the_connection_its_timeout(
    database: Database, thread: ThreadPoolExecutor
) -> None:
    def timeout_ms() -> object:
        with database.transaction() as session:
            return session.connection().exec_driver_sql("PRAGMA busy_timeout").scalar()

    assert await InlineFirst(thread)(timeout_ms) == timeout_ms() == 10_000


class Locking(ScriptedTransport):
    """Has another program lock the file when the first request comes, until the last has gone."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        self._is_locked = asyncio.Event()

    async def send(self, request: OutgoingRequest) -> Answer:
        if not self.requests:
            self._other = sqlite3.connect(self._file, isolation_level=None)
            self._other.execute("BEGIN IMMEDIATE")
            return await super().send(request)
        answer = await super().send(request)
        for _ in range(20):  # what has ended cannot be settled: the loop sends all the same
            await asyncio.sleep(0)
        self._other.close()
        return answer


@run_in_loop
async def test_sends_go_on_while_another_program_locks_the_file_for_long(
    database: Database, file: Path, thread: ThreadPoolExecutor
) -> None:
    bench = Bench(database=database)
    deliveries = bench.enqueue(bench.product(), 2)
    counters = Counters()
    it = new_worker(bench, Locking(file), call=InlineFirst(thread), counters=counters)
    await it.run(drain=True)
    assert [bench.state(each) for each in deliveries] == ["delivered"] * 2
    assert counters.metrics().database_unavailable_total == 0


@run_in_loop
async def test_the_worker_of_a_file_works_on_the_loops_own_thread(file: Path) -> None:
    threads = set[threading.Thread]()
    async with Leanbe(f"sqlite:///{file}", transport=ScriptedTransport()) as leanbe:
        product = leanbe.products.create("Acme", webhook_url="http://127.0.0.1:9/hooks")
        product.ideas.create(title="Dark mode")
        event.listen(
            leanbe._database.engine,
            "before_cursor_execute",
            lambda *_: threads.add(threading.current_thread()),
        )
        async with leanbe.working():
            await async_wait_until(lambda: leanbe.deliveries.last().delivered, "it is delivered")
    assert threading.current_thread() in threads
