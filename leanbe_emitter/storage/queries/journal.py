"""The journal: events, attempts and settlements in commit order, with one cursor over all of them.

Each call writes one row, whose ``entries`` are a JSON text: a hundred attempts that are settled
together cost one insert. A cursor names a row and how many of its entries were read.

On PostgreSQL, a transaction with a larger number can commit before one with a smaller number. A
reader of "everything after N" would then miss the later commit. Therefore each row carries the id
of its transaction, and cursors begin with it. A reader sees only rows whose transaction is older
than every open transaction, so no row can appear before those that it has read. SQLite has one
writer at a time, so its row ids are in the order of commits.

``tail``, ``wait`` and the server's stream read by the cursor and miss nothing. A caller that waits
for the consequences of an action begins at a cursor that was read before the action.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, Select, bindparam, select, text, true, tuple_
from sqlalchemy.orm import Session

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.hints import Hint
from leanbe_emitter.storage.engine import sqlite
from leanbe_emitter.storage.engine.session import fetch
from leanbe_emitter.storage.schema.states import DeliveryStatus, JournalKind
from leanbe_emitter.storage.schema.tables import JournalRow

#: How many rows a reader fetches at once. Each row may hold hundreds of entries.
ROWS_AT_ONCE = 50

_HORIZON = {
    "sqlite": text("1"),
    "postgresql": text("pg_snapshot_xmin(pg_current_snapshot())::text::bigint"),
}
#: The last transaction that can have written a row, and the last position. The database uses no
#: number twice, so both are known even when their row is gone.
_REACHED = {
    "sqlite": text("SELECT 0, max(seq) FROM sqlite_sequence WHERE name = 'journal'"),
    "postgresql": text("""
SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1,
       pg_sequence_last_value(pg_get_serial_sequence('journal', 'position'))
"""),
}
_WRITE = {
    "sqlite": "INSERT INTO journal (transaction_id, entries) VALUES (0, ?)",
    "postgresql": """
INSERT INTO journal (transaction_id, entries) VALUES (pg_current_xact_id()::text::bigint, %s)
""",
}
_WRITE_FROM = """
INSERT INTO journal (transaction_id, entries)
SELECT pg_current_xact_id()::text::bigint,
       '[' || string_agg({fact}, ',' ORDER BY {order}) || ']'
FROM {source} HAVING count(*) > 0
"""
#: Returns the ``entries`` of a row of these facts.
entries_of: Callable[[Sequence["Fact"]], str] = json.JSONEncoder(separators=(",", ":")).encode
# Numbers of so many digits fit into the columns.
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,18})-([0-9]{1,9})", re.ASCII)
_HOW_TO_GET = Hint(
    call="leanbe.journal.wait_cursor() returns one.",
    command="Leave it out.",
    request="The header Leanbe-Emitter-Cursor of each write has one.",
)


@dataclass(frozen=True, kw_only=True, order=True)
class Cursor:
    """A place in the journal, behind what a reader has read. Its text is opaque: ``0-17-2``.

    Attributes:
        transaction_id: the transaction of the last row of which something was read.
        position: the position of that row.
        read: how many entries of that row were read.
    """

    transaction_id: int = 0
    position: int = 0
    read: int = 0

    def __str__(self) -> str:
        return f"{self.transaction_id}-{self.position}-{self.read}"

    @classmethod
    def parse(cls, value: str) -> "Cursor":
        """Return the cursor of a text.

        Raises:
            InvalidValue: the text is no cursor.
        """
        parts = _CURSOR.fullmatch(value)
        if parts is None:
            raise InvalidValue(f"{value!r} is no cursor.", hint=_HOW_TO_GET)
        transaction_id, position, read = map(int, parts.groups())
        return cls(transaction_id=transaction_id, position=position, read=read)


#: Before the first entry.
START = Cursor()


class Fact(NamedTuple):
    """The content of an entry, in the order of its JSON array. None at its end may be left out.

    Attributes:
        number: the attempt's number, for an attempt.
        status: the delivery's status, if the entry settled the delivery.
    """

    kind: JournalKind
    event_id: str
    delivery_id: str | None = None
    number: int | None = None
    status: DeliveryStatus | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry for a reader: a fact, and the cursor behind it."""

    cursor: Cursor
    kind: JournalKind
    event_id: str
    delivery_id: str | None
    number: int | None
    status: DeliveryStatus | None


@dataclass(frozen=True, kw_only=True)
class Written:
    """One row: the facts that one call wrote, and the cursor behind them."""

    end: Cursor
    facts: Sequence[Fact]


def write(within: Session | Connection, facts: Sequence[Fact]) -> None:
    """Write facts in order, as one row, in the caller's transaction."""
    if not facts:
        return
    connection = within if isinstance(within, Connection) else within.connection()
    values = (entries_of(facts),)
    if connection.dialect.name == "sqlite":
        sqlite.execute(connection, _WRITE["sqlite"], values)
    else:
        connection.exec_driver_sql(_WRITE["postgresql"], values)


def write_from(source: str, fact: str, *, order: str) -> str:
    """Return a statement, for PostgreSQL only, that writes a fact for each row of a source.

    It can stand in a WITH of another statement, whose result is the source. If the source has no
    rows, it writes nothing.

    Args:
        source: the SQL behind FROM.
        fact: the SQL of a ``Fact``'s JSON text.
        order: the SQL behind ORDER BY.
    """
    return _WRITE_FROM.format(fact=fact, source=source, order=order)


def cancelled(session: Session, deliveries: Sequence[tuple[str, str]]) -> None:
    """Write that deliveries were cancelled, each as (event_id, delivery_id)."""
    write(
        session,
        [
            Fact(JournalKind.SETTLED, event_id, delivery_id, status=DeliveryStatus.CANCELLED)
            for event_id, delivery_id in deliveries
        ],
    )


def read(session: Session, after: Cursor, *, limit: int = 500, whole: bool = False) -> list[Entry]:
    """Return the next entries after a cursor, in commit order. None can appear before them later.

    With ``whole``, return all committed entries, although others may appear before them later. That
    is for callers who read once, and do not continue from a cursor.
    """
    # Begin with the cursor's own row, as perhaps not all of it was read.
    begun = replace(after, position=after.position - 1)
    entries = (
        Entry(cursor=replace(row.end, read=number), **fact._asdict())
        for row in rows(session, begun, whole=whole)
        for number, fact in enumerate(row.facts, start=1)
    )
    return list(islice((entry for entry in entries if entry.cursor > after), limit))


def read_facts(session: Session, after: Cursor, *, limit: int) -> tuple[list[Fact], Cursor]:
    """Return the next facts after a cursor in commit order, and the cursor behind them.

    Whole rows are read until they have ``limit`` facts. A fact has no cursor of its own, so that a
    reader of many is quick.
    """
    found: list[Fact] = []
    begun = replace(after, position=after.position - 1)
    for row in rows(session, begun):
        # The first row may be the cursor's own, of which something was read already.
        is_begun = row.end.position == after.position
        found += row.facts[after.read :] if is_begun else row.facts
        after = row.end
        if len(found) >= limit:
            break
    return found, after


def rows(session: Session, after: Cursor, *, whole: bool = False) -> Iterator[Written]:
    """Yield whole rows, in commit order, beginning behind the row of a cursor."""
    page = _page(session.connection().dialect.name, whole=whole)
    while True:
        behind = {"transaction_id": after.transaction_id, "position": after.position}
        some = fetch(session, page, **behind)
        for row in some:
            written = _written(*row)
            after = written.end
            yield written
        if len(some) < ROWS_AT_ONCE:
            return


def end(session: Session, *, whole: bool = False) -> Cursor:
    """Return the cursor behind the last entry that can be read now.

    With ``whole``, return the cursor behind all committed entries. Transactions that begin later
    write behind it; transactions that are open now may write before it.
    """
    last = fetch(session, _last(session.connection().dialect.name, whole=whole))
    return _written(*last[0]).end if last else START


def require_reached(session: Session, cursor: Cursor) -> None:
    """Check that a cursor does not lie beyond the end of the journal.

    Raises:
        InvalidValue: it does, so this database never handed it out.
    """
    transaction_id, position = session.execute(_REACHED[session.connection().dialect.name]).one()
    if cursor.transaction_id > transaction_id or cursor.position > (position or 0):
        raise InvalidValue(
            f"The cursor {str(cursor)!r} lies beyond the end of the journal.",
            hint="Give a cursor that this very database handed out.",
        )


@cache
def _page(dialect: str, *, whole: bool) -> Select[int, int, str]:
    key = tuple_(JournalRow.transaction_id, JournalRow.position)
    after = tuple_(
        bindparam("transaction_id", type_=BigInteger), bindparam("position", type_=BigInteger)
    )
    return (
        select(JournalRow.transaction_id, JournalRow.position, JournalRow.entries)
        .where(true() if whole else JournalRow.transaction_id < _HORIZON[dialect])
        .where(key > after)
        .order_by(JournalRow.transaction_id, JournalRow.position)
        .limit(ROWS_AT_ONCE)
    )


@cache
def _last(dialect: str, *, whole: bool) -> Select[int, int, str]:
    return (
        select(JournalRow.transaction_id, JournalRow.position, JournalRow.entries)
        .where(true() if whole else JournalRow.transaction_id < _HORIZON[dialect])
        .order_by(JournalRow.transaction_id.desc(), JournalRow.position.desc())
        .limit(1)
    )


def _written(transaction_id: int, position: int, entries: str) -> Written:
    facts = [_fact(*each) for each in json.loads(entries)]
    end = Cursor(transaction_id=transaction_id, position=position, read=len(facts))
    return Written(end=end, facts=facts)


def _fact(
    kind: str,
    event_id: str,
    delivery_id: str | None = None,
    number: int | None = None,
    status: str | None = None,
) -> Fact:
    settled_as = None if status is None else DeliveryStatus(status)
    return Fact(JournalKind(kind), event_id, delivery_id, number, settled_as)
