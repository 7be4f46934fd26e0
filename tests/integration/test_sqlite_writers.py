"""Threads that write to one file of SQLite take turns, instead of trying again and again."""

import sqlite3
from collections import Counter
from contextlib import closing
from functools import partial
from pathlib import Path

from sqlalchemy import text

from leanbe_emitter import DatabaseUnavailable, Leanbe
from leanbe_emitter.storage.engine.sqlite import WriterLock
from tests.support.concurrency import call_at_once
from tests.support.recorded_statements import record_statements


def make_ideas(leanbe: Leanbe, count: int) -> None:
    product = leanbe.products.only()
    for number in range(count):
        product.ideas.create(title=f"Idea {number}")


def test_writers_of_a_process_never_meet_in_the_file(tmp_path: Path) -> None:
    # With that timeout SQLite refuses whoever does not find the file free at once.
    with Leanbe(f"sqlite:///{tmp_path / 'a.db'}?timeout=0") as leanbe:
        leanbe.products.create("Acme")
        leanbe._database._writers = WriterLock(patience_seconds=30)
        ended = call_at_once(*(partial(make_ideas, leanbe, 20) for _ in range(6)))
        assert ended == [None] * 6
        assert leanbe.counts().events == 120


def test_a_failed_wait_for_the_writers_lock_gives_sqlites_reason(tmp_path: Path) -> None:
    with Leanbe(f"sqlite:///{tmp_path / 'a.db'}?timeout=0.05") as leanbe:
        leanbe.products.create("Acme")
        with leanbe.transaction():
            make_ideas(leanbe, 1)
            (error,) = call_at_once(partial(make_ideas, leanbe, 1))
        assert isinstance(error, DatabaseUnavailable)
        make_ideas(leanbe, 1)


def test_the_wait_for_the_turn_shortens_the_wait_for_the_file(tmp_path: Path) -> None:
    class Noting(WriterLock):
        def __enter__(self) -> float:
            waited.append(super().__enter__())
            return waited[-1]

    waited: list[float] = []
    patience_ms = 1_000
    file = tmp_path / "a.db"
    with Leanbe(f"sqlite:///{file}?timeout={patience_ms / 1000}") as leanbe:
        leanbe.products.create("Acme")
        leanbe._database._writers = Noting(patience_seconds=patience_ms / 1000)
        with (
            closing(sqlite3.connect(file, isolation_level=None)) as another_program,
            record_statements(leanbe._database) as noted,
        ):
            another_program.execute("BEGIN IMMEDIATE")
            ended = call_at_once(*(partial(make_ideas, leanbe, 1) for _ in range(4)))
        assert [type(each) for each in ended] == [DatabaseUnavailable] * 4
        assert "locked" in str(ended[0])
        left_ms = [max(0, patience_ms - int(each * 1000)) for each in waited if each]
        assert left_ms
        told = Counter(f"PRAGMA busy_timeout = {each}" for each in left_ms)
        assert told <= Counter(noted.sent)


def test_waiting_for_the_writers_lock_leaves_the_connections_busy_timeout(tmp_path: Path) -> None:
    with Leanbe(f"sqlite:///{tmp_path / 'a.db'}?timeout=20") as leanbe:
        leanbe.products.create("Acme")
        ended = call_at_once(*(partial(make_ideas, leanbe, 20) for _ in range(4)))
        assert ended == [None] * 4
        with leanbe._database.reading() as session:
            assert session.scalar(text("PRAGMA busy_timeout")) == 20_000
