"""Emptying a database: all rows go except those of its clock and its seed file.

The journal's positions continue, so that a reader of the journal misses nothing that comes later.
A worker elsewhere finds its lease lost, and changes nothing.

A reset is one transaction: it empties the database, and plants the seed file again by actions of
the domain whose events nobody records. Afterwards, the workers of this process abort the attempts
that no longer exist (``Worker.abandon``), and release the deliveries that they claimed meanwhile.
So when a reset returns, no attempt from before is in flight in this process, and deliveries that
were created since are untouched.
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

#: Tables of a product's settings, which its own reset keeps.
_SETTINGS: Final = frozenset(
    each.__table__ for each in (WebhookRow, RetiredSecretRow, MembershipRow)
)

#: Tables that say how the database begins.
_STAYING: Final = frozenset(each.__table__ for each in (ClockRow, SeedFileRow))


def lock(session: Session) -> None:
    """Let nobody else act until the commit, even on products that do not exist yet.

    This waits for the actions that have begun, and lets later ones wait, so that none of them finds
    half of the rows. On SQLite, each writer is alone anyway.
    """
    if session.connection().dialect.name == "postgresql":
        # In the order in which actions lock them.
        session.execute(text("LOCK TABLE products, deliveries IN EXCLUSIVE MODE"))


def empty(session: Session) -> None:
    """Delete everything."""
    lock(session)
    connection = session.connection()
    for statement in _emptying():
        connection.execute(statement)


@cache
def _emptying() -> tuple[Delete, ...]:
    """Return the statements once: to sort the tables takes longer than to empty them."""
    tables = reversed(METADATA.sorted_tables)
    return tuple(delete(table) for table in tables if table not in _STAYING)


def empty_product(session: Session, product_id: str) -> None:
    """Delete the rows of a product, its faults too. The product and its settings stay."""
    session.execute(select(ProductRow.id).where(ProductRow.id == product_id).with_for_update())
    for table in reversed(METADATA.sorted_tables):
        if "product_id" in table.c and table not in _SETTINGS:
            session.execute(delete(table).where(table.c.product_id == product_id))
