"""Emptying a database: every row goes but its clock's and its seed file's, and the tables stay.

The journal's positions go on where they were, so that who follows it misses nothing of what comes
after. Who held a lease finds it lost, and changes nothing.

A reset is one transaction: it empties the database, and plants the seed file again by actions of
the domain whose events nobody records. After it, this process's workers break off the attempts that
no longer exist (``Worker.abandon``), and hand back what they had claimed meanwhile. So when a reset
returns, nothing of before is under way here, and nothing that was owed since is touched.
"""

from functools import cache
from typing import Final

from sqlalchemy import Delete, delete, select, text
from sqlalchemy.orm import Session

from leanbe_emitter.storage.schema.document_tables import METADATA
from leanbe_emitter.storage.schema.tables import (
    ClockRow,
    MembershipRow,
    ProductRow,
    RetiredSecretRow,
    SeedFileRow,
    WebhookRow,
)

#: What belongs to a product and is no work of its: its settings.
_SETTINGS: Final = frozenset(
    each.__table__ for each in (WebhookRow, RetiredSecretRow, MembershipRow)
)

#: What tells how the database begins.
_STAYING: Final = frozenset(each.__table__ for each in (ClockRow, SeedFileRow))


def lock(session: Session) -> None:
    """Let nobody act until the commit, be it on products that are not there yet.

    Whoever is at it ends first, and whoever comes waits, so that neither finds half of what there
    is. On SQLite each writer is alone as it is.
    """
    if session.connection().dialect.name == "postgresql":
        # In the order in which actions take them.
        session.execute(text("LOCK TABLE products, deliveries IN EXCLUSIVE MODE"))


def empty(session: Session) -> None:
    """Delete everything."""
    lock(session)
    connection = session.connection()
    for statement in _emptying():
        connection.execute(statement)


@cache
def _emptying() -> tuple[Delete, ...]:
    """Return the statements: to sort the tables anew takes longer than to empty them."""
    tables = reversed(METADATA.sorted_tables)
    return tuple(delete(table) for table in tables if table not in _STAYING)


def empty_product(session: Session, product_id: str) -> None:
    """Delete all that a product has, faults meant for it too; itself and its settings stay."""
    session.execute(select(ProductRow.id).where(ProductRow.id == product_id).with_for_update())
    for table in reversed(METADATA.sorted_tables):
        if "product_id" in table.c and table not in _SETTINGS:
            session.execute(delete(table).where(table.c.product_id == product_id))
