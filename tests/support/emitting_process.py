"""A process that changes rows and records events: each change and its event share a transaction.

``python -m tests.support.emitting_process DB FIRST LAST``: number N makes a user
``n-N@example.com`` and the event ``customer.created`` with this e-mail. The products take turns.
"""

import sys

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from leanbe_emitter.clock import SystemClock
from leanbe_emitter.ids import Ids
from leanbe_emitter.outbox import NewEvent, record
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.tables import ProductRow, UserRow
from leanbe_emitter.wire.stringify import stringify

#: Number of changes in one transaction.
CHANGES_A_TRANSACTION = 20


def emit(database: Database, numbers: range) -> None:
    """Make the changes of these numbers; the products take turns."""
    with database.reading() as session:
        products = list(session.scalars(select(ProductRow.id).order_by(ProductRow.id)))
    for first in numbers[::CHANGES_A_TRANSACTION]:
        with database.transaction() as session:
            _change(
                session, products, range(first, min(first + CHANGES_A_TRANSACTION, numbers.stop))
            )


def email(number: int) -> str:
    """Return the e-mail that a change and its event share."""
    return f"n-{number}@example.com"


def _change(session: Session, products: list[str], numbers: range) -> None:
    now, ids = SystemClock().now(), Ids()
    users = [
        {"id": ids.object_id(now), "email": email(n), "first_name": "Ana", "created_at": 0}
        for n in numbers
    ]
    session.execute(insert(UserRow), [{**user, "updated_at": 0} for user in users])
    events = [
        NewEvent(
            product_id=products[n % len(products)],
            name="customer.created",
            payload_text=stringify({"_id": user["id"], "email": user["email"]}),
        )
        for n, user in zip(numbers, users, strict=True)
    ]
    record(session, events, now=now, ids=ids)


if __name__ == "__main__":
    db, first, last = sys.argv[1:]
    database = Database(db)
    emit(database, range(int(first), int(last)))
    database.close()
