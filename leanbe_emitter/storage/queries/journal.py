"""The journal: events, attempts and settlements in commit order, one cursor over all of them.

What one call writes is one row, whose ``entries`` are a JSON text: a hundred attempts that were
settled together cost one insert. A cursor names the row and how many of its entries were read.

On PostgreSQL a larger number can be committed before a smaller one, so that a reader who asks for
"everything after N" would miss the late one. Therefore a row also carries its transaction's id,
the cursor begins with it, and a reader is shown only rows whose transaction is older than every
transaction that is still open: nothing can come to stand before what it has read. SQLite has one
writer at a time, so that its row ids already are the order of commits.

``tail``, ``wait`` and the server's stream read by the cursor and miss nothing. A caller that waits
for the consequences of an action begins at a cursor that was read before the action.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection, Select, select, text, true, tuple_
from sqlalchemy.orm import Session

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.storage.engine import sqlite_driver
from leanbe_emitter.storage.queries.prepared import found
from leanbe_emitter.storage.schema.states import DeliveryStatus, JournalKind
from leanbe_emitter.storage.schema.tables import JournalRow

#: How many rows a reader fetches at once; each may hold hundreds of entries.
ROWS_AT_ONCE = 50

_HORIZON = {
    "sqlite": text("1"),
    "postgresql": text("pg_snapshot_xmin(pg_current_snapshot())::text::bigint"),
}
#: The last transaction that can have written a row, and the last position; neither is used twice,
#: so that both are known when the row is gone, too.
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
_encode = json.JSONEncoder(separators=(",", ":")).encode
# So many digits fit into the columns' integers.
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,18})-([0-9]{1,9})", re.ASCII)


@dataclass(frozen=True, kw_only=True, order=True)
class Cursor:
    """How far somebody has read. Its text is opaque to users: ``0-17-2``.

    Attributes:
        transaction_id: the transaction of the last row that was begun.
        position: that row.
        read: how many of its entries were read.
    """

    transaction_id: int = 0
    position: int = 0
    read: int = 0

    def __str__(self) -> str:
        return f"{self.transaction_id}-{self.position}-{self.read}"

    @classmethod
    def parse(cls, value: str) -> "Cursor":
        """Read a cursor's text.

        Raises:
            InvalidValue: it is not the text of a cursor.
        """
        parts = _CURSOR.fullmatch(value)
        if parts is None:
            raise InvalidValue(f"{value!r} is no cursor.", hint="Give one that was handed out.")
        transaction_id, position, read = map(int, parts.groups())
        return cls(transaction_id=transaction_id, position=position, read=read)


#: Before the first entry.
START = Cursor()


class Fact(NamedTuple):
    """What an entry tells, in the order of its JSON array; what is None at its end may be left out.

    Attributes:
        number: the attempt's number, for an attempt.
        status: the delivery's status, where this settled it.
    """

    kind: JournalKind
    event_id: str
    delivery_id: str | None = None
    number: int | None = None
    status: DeliveryStatus | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry as it is read: a fact, and the cursor to go on from behind it."""

    cursor: Cursor
    kind: JournalKind
    event_id: str
    delivery_id: str | None
    number: int | None
    status: DeliveryStatus | None


@dataclass(frozen=True, kw_only=True)
class Written:
    """One row: what one call wrote, and the cursor behind all of it."""

    end: Cursor
    facts: Sequence[Fact]


def write(within: Session | Connection, facts: Sequence[Fact]) -> None:
    """Write facts in their order, as one row, in a transaction."""
    if not facts:
        return
    connection = within if isinstance(within, Connection) else within.connection()
    if connection.dialect.name == "sqlite":
        sqlite_driver.execute(connection, _WRITE["sqlite"], (entries_of(facts),))
    else:
        connection.exec_driver_sql(_WRITE["postgresql"], (entries_of(facts),))


def entries_of(facts: Sequence[Fact]) -> str:
    """Return the text of a row's ``entries``."""
    return _encode(facts)


def write_from(source: str, fact: str, *, order: str) -> str:
    """Return a statement, for PostgreSQL alone, that writes a fact for each row of a source.

    It can stand in a WITH of another statement, where the source is what that one returned; of no
    rows it writes nothing.

    Args:
        source: what follows FROM.
        fact: the SQL of a ``Fact``'s JSON text.
        order: what follows ORDER BY.
    """
    return _WRITE_FROM.format(fact=fact, source=source, order=order)


def cancelled(session: Session, deliveries: Sequence[tuple[str, str]]) -> None:
    """Write that deliveries were cancelled: (event_id, delivery_id) of each."""
    write(
        session,
        [
            Fact(JournalKind.SETTLED, event_id, delivery_id, status=DeliveryStatus.CANCELLED)
            for event_id, delivery_id in deliveries
        ],
    )


def read(session: Session, after: Cursor, *, limit: int = 500, whole: bool = False) -> list[Entry]:
    """Return the next entries after a cursor, in commit order, none of which can be preceded.

    With ``whole``, return all that is committed, though another may come to stand before it: that
    is for who looks once, and goes on from no cursor.
    """
    # From the row on that the cursor stands in: perhaps not all of it was read.
    begun = replace(after, position=after.position - 1)
    entries = (
        _entry(row.end, number, fact)
        for row in rows(session, begun, whole=whole)
        for number, fact in enumerate(row.facts, start=1)
    )
    return list(islice((entry for entry in entries if entry.cursor > after), limit))


def rows(session: Session, after: Cursor, *, whole: bool = False) -> Iterator[Written]:
    """Yield whole rows, in commit order, from the first behind that of a cursor on."""
    final = JournalRow.transaction_id < _HORIZON[session.connection().dialect.name]
    page = (
        select(JournalRow.transaction_id, JournalRow.position, JournalRow.entries)
        .where(true() if whole else final)
        .order_by(JournalRow.transaction_id, JournalRow.position)
        .limit(ROWS_AT_ONCE)
    )
    key = tuple_(JournalRow.transaction_id, JournalRow.position)
    while True:
        some = session.execute(page.where(key > tuple_(after.transaction_id, after.position))).all()
        for row in some:
            written = _written(*row)
            after = written.end
            yield written
        if len(some) < ROWS_AT_ONCE:
            return


def end(session: Session, *, whole: bool = False) -> Cursor:
    """Return the cursor behind the last entry that can be read now.

    With ``whole``, return the one behind all that is committed: whatever is begun from now on comes
    behind it, and of what others have begun already some may come to stand before it.
    """
    last = found(session, _last(session.connection().dialect.name, whole=whole))
    return _written(*last[0]).end if last else START


def require_reached(session: Session, cursor: Cursor) -> None:
    """See that a cursor lies no further than the journal has ever come.

    Raises:
        InvalidValue: it does, so that it was never handed out here.
    """
    transaction_id, position = session.execute(_REACHED[session.connection().dialect.name]).one()
    if cursor.transaction_id > transaction_id or cursor.position > (position or 0):
        raise InvalidValue(
            f"The cursor {str(cursor)!r} lies ahead of all that has happened.",
            hint="Give one that was handed out, by this very database.",
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


def _entry(end: Cursor, number: int, fact: Fact) -> Entry:
    return Entry(cursor=replace(end, read=number), **fact._asdict())
