"""The journal: commit order, whatever order the positions were drawn in."""

from collections.abc import Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.outbox import Recorded, record
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.queries import journal
from leanbe_emitter.storage.queries.journal import ROWS_AT_ONCE, START, Cursor, Entry
from leanbe_emitter.storage.schema.states import DeliveryStatus, JournalKind
from tests.support.engine_setup import START_AT, Bench, new_event


def read(database: Database, after: Cursor = START) -> list[Entry]:
    with database.reading() as session:
        return journal.read(session, after)


def of(recorded: Sequence[Recorded]) -> list[str]:
    return [each.event_id for each in recorded]


def events(entries: Sequence[Entry]) -> list[str]:
    return [each.event_id for each in entries]


def test_an_entry_that_is_committed_late_is_neither_missed_nor_read_twice(
    postgresql_bench: Bench,
) -> None:
    """Its position is the lower one, and a reader has been there before it is committed."""
    bench = postgresql_bench
    early, late = bench.product("Early"), bench.product("Late")
    with bench.database.transaction() as session:
        first = record(session, [new_event(late)], now=START_AT, ids=bench.ids)
        second = bench.record(new_event(early))
        assert read(bench.database) == [], "the late one will stand before it"
    seen = bench.journal()
    assert events(seen) == of([*first, *second])
    assert seen[0].cursor.position < seen[1].cursor.position
    assert bench.journal(seen[-1].cursor) == []


def test_an_older_transaction_stands_first_although_it_wrote_last(postgresql_bench: Bench) -> None:
    """By position alone, a reader would end on the older one's cursor and read the other again."""
    bench = postgresql_bench
    older, younger = bench.product("Older"), bench.product("Younger")
    with bench.database.transaction() as session:
        session.execute(text("SELECT pg_current_xact_id()"))
        second = bench.record(new_event(younger))
        first = record(session, [new_event(older)], now=START_AT, ids=bench.ids)
    seen = bench.journal()
    assert events(seen) == of([*first, *second])
    assert seen[0].cursor.position > seen[1].cursor.position
    assert bench.journal(seen[-1].cursor) == []


def test_a_reader_may_come_at_any_time(postgresql_bench: Bench) -> None:
    """Transactions are open beside each other, and somebody reads after each step."""
    bench = postgresql_bench
    first, second, third = (bench.product(name) for name in ("First", "Second", "Third"))
    cursor, seen, recorded = START, list[str](), list[Recorded]()

    def go_on() -> None:
        nonlocal cursor
        for entry in read(bench.database, cursor):
            cursor = entry.cursor
            seen.append(entry.event_id)

    def act(session: Session, product: str) -> None:
        recorded.extend(record(session, [new_event(product)], now=START_AT, ids=bench.ids))
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
    assert sorted(seen) == sorted(of(recorded))


def test_entries_of_one_transaction_keep_their_order(bench: Bench) -> None:
    product = bench.product()
    recorded = bench.record(*[new_event(product, n=n) for n in range(20)])
    assert events(bench.journal()) == of(recorded)
    assert bench.rows("journal") == 1


def test_a_rollback_leaves_no_gap_that_a_reader_waits_for(bench: Bench) -> None:
    product = bench.product()
    bench.roll_back(new_event(product))
    recorded = bench.record(new_event(product))
    assert events(bench.journal()) == of(recorded)


def test_a_reader_goes_on_behind_its_cursor(bench: Bench) -> None:
    """Also in the middle of what one call wrote."""
    product = bench.product()
    recorded = [
        each
        for number in range(4)
        for each in bench.record(*[new_event(product, n=n) for n in range(number)])
    ]
    bench.journal()
    cursor, seen = START, list[str]()
    with bench.database.reading() as session:
        while two := journal.read(session, cursor, limit=2):
            cursor = two[-1].cursor
            seen += events(two)
    assert seen == of(recorded)


def test_a_reader_gets_more_than_it_fetches_at_once(bench: Bench) -> None:
    product = bench.product()
    count = 2 * ROWS_AT_ONCE
    recorded = [one for n in range(count) for one in bench.record(new_event(product, n=n))]
    assert events(bench.journal()) == of(recorded)


def test_to_write_nothing_leaves_no_row(bench: Bench) -> None:
    with bench.database.transaction() as session:
        journal.write(session.connection(), [])
    assert bench.rows("journal") == 0


def test_facts_of_a_statement_are_written_in_its_order(postgresql_bench: Bench) -> None:
    bench = postgresql_bench
    source = "(VALUES ('b', 2), ('a', 1)) AS done (id, number)"
    fact = """'["attempt","' || id || '","' || id || '",' || number || ']'"""
    statement = journal.write_from(source, fact, order="number")
    with bench.database.transaction() as session:
        session.connection().exec_driver_sql(statement)
        session.connection().exec_driver_sql(f"WITH told AS ({statement}) SELECT 1")
    told = bench.journal()
    assert events(told) == ["a", "b", "a", "b"]
    assert [(each.kind, each.number, each.status) for each in told[:2]] == [
        (JournalKind.ATTEMPT, 1, None),
        (JournalKind.ATTEMPT, 2, None),
    ]


def test_a_statement_that_returned_nothing_writes_nothing(postgresql_bench: Bench) -> None:
    source = "(SELECT 'a' AS id WHERE false) AS done"
    statement = journal.write_from(source, """'["attempt","' || id || '"]'""", order="id")
    with postgresql_bench.database.transaction() as session:
        session.connection().exec_driver_sql(statement)
    assert postgresql_bench.rows("journal") == 0


def test_the_end_is_behind_everything_that_happened(bench: Bench) -> None:
    with bench.database.reading() as session:
        assert journal.end(session) == START
    product = bench.product()
    bench.record(new_event(product))
    bench.journal()
    with bench.database.reading() as session:
        end = journal.end(session)
    assert bench.journal(end) == []
    recorded = bench.record(new_event(product))
    assert events(bench.journal(end)) == of(recorded)


def test_the_end_is_before_what_cannot_be_read_yet(postgresql_bench: Bench) -> None:
    bench = postgresql_bench
    early, late = bench.product("Early"), bench.product("Late")
    with bench.database.transaction() as session:
        record(session, [new_event(late)], now=START_AT, ids=bench.ids)
        bench.record(new_event(early))
        with bench.database.reading() as reading:
            end = journal.end(reading)
    assert len(bench.journal(end)) == 2


def test_a_cancelled_delivery_has_its_entry(bench: Bench) -> None:
    product = bench.product()
    (delivery,) = bench.enqueue(product)
    bench.clear(product)
    entry = bench.journal()[-1]
    assert (entry.kind, entry.delivery_id) == (JournalKind.SETTLED, delivery)
    assert entry.status == DeliveryStatus.CANCELLED


def test_a_cursor_is_read_back_from_its_text() -> None:
    cursor = Cursor(transaction_id=745, position=17, read=2)
    assert str(cursor) == "745-17-2"
    assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize(
    "text",
    ["", "-", "5-5", "5-5-", "-5-5", "a-1-1", "1-b-1", "1-2-3-4", "1.0-2-3", "²-1-1", "1-2-3\n"],
)
def test_other_texts_are_no_cursor(text: str) -> None:
    with pytest.raises(InvalidValue, match="no cursor"):
        Cursor.parse(text)
