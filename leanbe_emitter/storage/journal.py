"""The journal: events, attempts and settlements in commit order, one cursor over all of them.

On PostgreSQL a larger number can be committed before a smaller one, so that a reader who asks for
"everything after N" would miss the late one. Therefore an entry also carries its transaction's id,
the cursor is the pair of both, and a reader is shown only entries whose transaction is older than
every transaction that is still open: nothing can come to stand before what it has read. SQLite has
one writer at a time, so that its row ids already are the order of commits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, text, tuple_
from sqlalchemy.orm import Session

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.storage.states import DeliveryStatus, JournalKind
from leanbe_emitter.storage.tables import JournalRow

_TRANSACTION_ID = {"sqlite": text("0"), "postgresql": text("pg_current_xact_id()::text::bigint")}
_HORIZON = {
    "sqlite": text("1"),
    "postgresql": text("pg_snapshot_xmin(pg_current_snapshot())::text::bigint"),
}


@dataclass(frozen=True, kw_only=True, order=True)
class Cursor:
    """How far somebody has read. Its text is opaque to users: ``0-17``."""

    transaction_id: int = 0
    position: int = 0

    def __str__(self) -> str:
        return f"{self.transaction_id}-{self.position}"

    @classmethod
    def parse(cls, value: str) -> "Cursor":
        """Read a cursor's text.

        Raises:
            InvalidValue: it is not the text of a cursor.
        """
        transaction_id, _, position = value.partition("-")
        if not (transaction_id.isdecimal() and position.isdecimal()):
            raise InvalidValue(f"{value!r} is no cursor.", hint="Give one that was handed out.")
        return cls(transaction_id=int(transaction_id), position=int(position))


#: Before the first entry.
START = Cursor()


def write(session: Session, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write entries, each with all columns but the cursor's, in this transaction."""
    dialect = session.connection().dialect.name
    statement = insert(JournalRow).values(transaction_id=_TRANSACTION_ID[dialect])
    session.execute(statement, [dict(entry) for entry in entries])


def cancelled(session: Session, deliveries: Sequence[tuple[str, str, str]]) -> None:
    """Write that deliveries were cancelled: (product_id, event_id, delivery_id) of each."""
    if not deliveries:
        return
    write(
        session,
        [
            {
                "kind": JournalKind.SETTLED,
                "product_id": product_id,
                "event_id": event_id,
                "delivery_id": delivery_id,
                "status": DeliveryStatus.CANCELLED,
            }
            for product_id, event_id, delivery_id in deliveries
        ],
    )


def read(session: Session, after: Cursor, *, limit: int = 500) -> Sequence[JournalRow]:
    """Return the next entries after a cursor, in commit order, none of which can be preceded."""
    dialect = session.connection().dialect.name
    return session.scalars(
        select(JournalRow)
        .where(
            tuple_(JournalRow.transaction_id, JournalRow.position)
            > tuple_(after.transaction_id, after.position)
        )
        .where(JournalRow.transaction_id < _HORIZON[dialect])
        .order_by(JournalRow.transaction_id, JournalRow.position)
        .limit(limit)
    ).all()


def end(session: Session) -> Cursor:
    """Return the cursor behind the last entry that can be read now."""
    dialect = session.connection().dialect.name
    row = session.execute(
        select(JournalRow.transaction_id, JournalRow.position)
        .where(JournalRow.transaction_id < _HORIZON[dialect])
        .order_by(JournalRow.transaction_id.desc(), JournalRow.position.desc())
        .limit(1)
    ).first()
    return START if row is None else Cursor(transaction_id=row[0], position=row[1])
