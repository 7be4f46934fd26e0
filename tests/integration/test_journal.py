"""The journal: commit order, whatever order the positions were drawn in."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.outbox import record
from leanbe_emitter.storage import journal
from leanbe_emitter.storage.database import Database
from leanbe_emitter.storage.journal import START, Cursor
from leanbe_emitter.storage.states import DeliveryStatus, JournalKind
from leanbe_emitter.storage.tables import JournalRow
from tests.bench import START_AT, Bench, happened


def cursor_of(row: JournalRow) -> Cursor:
    return Cursor(transaction_id=row.transaction_id, position=row.position)


def read(database: Database, after: Cursor = START) -> list[JournalRow]:
    with database.reading() as session:
        return list(journal.read(session, after))


def test_an_entry_that_is_committed_late_is_neither_missed_nor_read_twice(
    postgresql_bench: Bench,
) -> None:
    """Its position is the lower one, and a reader has been there before it is committed."""
    bench = postgresql_bench
    early, late = bench.product("Early"), bench.product("Late")
    with bench.database.transaction() as session:
        record(session, [happened(late)], now=START_AT, ids=bench.ids)
        bench.record(happened(early))
        assert read(bench.database) == [], "the late one will stand before it"
    seen = bench.journal()
    assert [each.product_id for each in seen] == [late, early]
    assert seen[0].position < seen[1].position
    assert bench.journal(cursor_of(seen[-1])) == []


def test_an_older_transaction_stands_first_although_it_wrote_last(postgresql_bench: Bench) -> None:
    """By position alone, a reader would end on the older one's cursor and read the other again."""
    bench = postgresql_bench
    older, younger = bench.product("Older"), bench.product("Younger")
    with bench.database.transaction() as session:
        session.execute(text("SELECT pg_current_xact_id()"))
        bench.record(happened(younger))
        record(session, [happened(older)], now=START_AT, ids=bench.ids)
    seen = bench.journal()
    assert [each.product_id for each in seen] == [older, younger]
    assert seen[0].position > seen[1].position
    assert bench.journal(cursor_of(seen[-1])) == []


def test_a_reader_may_come_at_any_time(postgresql_bench: Bench) -> None:
    """Transactions are open beside each other, and somebody reads after each step."""
    bench = postgresql_bench
    first, second, third = (bench.product(name) for name in ("First", "Second", "Third"))
    cursor, seen = START, list[str]()

    def go_on() -> None:
        nonlocal cursor
        for row in read(bench.database, cursor):
            cursor = cursor_of(row)
            seen.append(row.product_id)

    def act(session: Session, product: str) -> None:
        record(session, [happened(product)], now=START_AT, ids=bench.ids)
        go_on()

    with bench.database.transaction() as one:
        act(one, first)
        with bench.database.transaction() as two:
            act(two, second)
            with bench.database.transaction() as three:
                act(three, third)
            go_on()
        go_on()
    bench.journal()
    go_on()
    assert sorted(seen) == sorted([first, second, third])


def test_entries_of_one_transaction_keep_their_order(bench: Bench) -> None:
    product = bench.product()
    recorded = bench.record(*[happened(product, n=n) for n in range(20)])
    assert [each.event_id for each in bench.journal()] == [each.event_id for each in recorded]


def test_what_was_rolled_back_leaves_no_gap_that_a_reader_waits_for(bench: Bench) -> None:
    product = bench.product()

    def act() -> None:
        with bench.database.transaction() as session:
            record(session, [happened(product)], now=START_AT, ids=bench.ids)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        act()
    (recorded,) = bench.record(happened(product))
    assert [each.event_id for each in bench.journal()] == [recorded.event_id]


def test_a_reader_goes_on_behind_its_cursor(bench: Bench) -> None:
    product = bench.product()
    bench.record(*[happened(product, n=n) for n in range(5)])
    bench.journal()
    with bench.database.reading() as session:
        two = journal.read(session, START, limit=2)
        rest = journal.read(session, cursor_of(two[-1]), limit=10)
    assert [len(two), len(rest)] == [2, 3]
    assert two[-1].position < rest[0].position


def test_the_end_is_behind_everything_that_happened(bench: Bench) -> None:
    with bench.database.reading() as session:
        assert journal.end(session) == START
    product = bench.product()
    bench.record(happened(product))
    bench.journal()
    with bench.database.reading() as session:
        end = journal.end(session)
    assert bench.journal(end) == []
    (recorded,) = bench.record(happened(product))
    assert [each.event_id for each in bench.journal(end)] == [recorded.event_id]


def test_the_end_is_before_what_cannot_be_read_yet(postgresql_bench: Bench) -> None:
    bench = postgresql_bench
    early, late = bench.product("Early"), bench.product("Late")
    with bench.database.transaction() as session:
        record(session, [happened(late)], now=START_AT, ids=bench.ids)
        bench.record(happened(early))
        with bench.database.reading() as reading:
            end = journal.end(reading)
    assert len(bench.journal(end)) == 2


def test_a_cancelled_delivery_has_its_entry(bench: Bench) -> None:
    product = bench.product()
    (delivery,) = bench.owe(product)
    bench.clear(product)
    entry = bench.journal()[-1]
    assert (entry.kind, entry.delivery_id) == (JournalKind.SETTLED, delivery)
    assert entry.status == DeliveryStatus.CANCELLED


def test_a_cursor_is_read_back_from_its_text() -> None:
    cursor = Cursor(transaction_id=745, position=17)
    assert str(cursor) == "745-17"
    assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize("text", ["", "-", "5", "5-", "-5", "a-1", "1-b", "1-2-3", "1.0-2", "²-1"])
def test_other_texts_are_no_cursor(text: str) -> None:
    with pytest.raises(InvalidValue, match="no cursor"):
        Cursor.parse(text)
