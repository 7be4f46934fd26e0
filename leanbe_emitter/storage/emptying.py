"""Emptying a database: every row goes but that of its clock, and the tables stay.

The journal's positions go on where they were, so that who follows it misses nothing of what comes
after. Who held a lease finds it lost, and changes nothing.
"""

from typing import Final

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from leanbe_emitter.storage.database import Database
from leanbe_emitter.storage.documents import METADATA
from leanbe_emitter.storage.tables import (
    ClockRow,
    MembershipRow,
    ProductRow,
    RetiredSecretRow,
    WebhookRow,
)

#: What belongs to a product and is no work of its: its settings.
_SETTINGS: Final = frozenset(
    each.__table__ for each in (WebhookRow, RetiredSecretRow, MembershipRow)
)


def empty(database: Database) -> None:
    """Delete everything in one transaction.

    Raises:
        DatabaseUnavailable: the database went away; then nothing is deleted.
    """
    with database.transaction() as session:
        if database.dialect == "postgresql":
            # In the order in which actions take them: whoever is at it ends first, and whoever
            # comes waits, so that neither finds half of what there was.
            session.execute(text("LOCK TABLE products, deliveries IN EXCLUSIVE MODE"))
        for table in reversed(METADATA.sorted_tables):
            if table is not ClockRow.__table__:
                session.execute(delete(table))


def empty_product(session: Session, product_id: str) -> None:
    """Delete all that a product has, faults meant for it too; itself and its settings stay."""
    session.execute(select(ProductRow.id).where(ProductRow.id == product_id).with_for_update())
    for table in reversed(METADATA.sorted_tables):
        if "product_id" in table.c and table not in _SETTINGS:
            session.execute(delete(table).where(table.c.product_id == product_id))
