"""Emptying a database, and the stored seed file, which every reset plants again.

All rows go except those of the database's clock and its seed file. The seed file is a row, so that
every process plants the same content. The journal's positions continue, so that a reader of the
journal misses nothing that comes later. A worker elsewhere finds its lease lost, and changes
nothing.

A reset is one transaction: it empties the database, and plants the seed file again by actions of
the domain whose events nobody records. Afterwards, the workers of this process abort the attempts
that no longer exist (``Worker.abandon``), and release the deliveries that they claimed meanwhile.
So when a reset returns, no attempt from before is in flight in this process, and deliveries that
were created since are untouched.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Delete, delete, distinct, func, select, text
from sqlalchemy.orm import Session

from leanbe_emitter.storage.engine.session import fetch
from leanbe_emitter.storage.schema.document_tables import (
    METADATA,
    AnnouncementRow,
    BacklogItemRow,
    CustomerProductRow,
    IdeaRequestRow,
    IdeaRow,
    OkrRow,
)
from leanbe_emitter.storage.schema.states import DeliveryState
from leanbe_emitter.storage.schema.tables import (
    ClockRow,
    DeliveryRow,
    EventRow,
    FaultRow,
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


#: What is counted, and where: a customer of several products counts once.
_COUNTED: Final[Mapping[str, Any]] = {
    "product": ProductRow.id,
    "customer": CustomerProductRow.customer_id,
    "idea": IdeaRow.id,
    "idea request": IdeaRequestRow.id,
    "backlog item": BacklogItemRow.id,
    "OKR": OkrRow.id,
    "announcement": AnnouncementRow.id,
    "event": EventRow.id,
    "delivery": DeliveryRow.id,
    "pending delivery": DeliveryRow.id,
    "fault": FaultRow.id,
}
_PENDING: Final = DeliveryRow.state.in_([each for each in DeliveryState if not each.is_end])


def row_counts(session: Session, product_id: str | None = None) -> dict[str, int]:
    """Return how many rows there are by noun, in a database or of one product.

    A pending delivery also counts as a delivery.
    """
    counts = {}
    for noun, column in _COUNTED.items():
        number = select(func.count(distinct(column)))
        if noun == "pending delivery":
            number = number.where(_PENDING)
        if product_id is not None:
            owner = ProductRow.id if noun == "product" else column.class_.product_id
            number = number.where(owner == product_id)
        counts[noun] = session.scalars(number).one()
    return counts


_STORED = select(SeedFileRow.name, SeedFileRow.content)


class StoredSeed(NamedTuple):
    """A seed file's name, and its content as JSON."""

    name: str
    content: str


def store_seed(session: Session, seed: StoredSeed) -> None:
    """Store the seed that each reset plants, in place of the one before."""
    session.execute(delete(SeedFileRow))
    session.add(SeedFileRow(id=1, **seed._asdict()))


def stored_seed(session: Session) -> StoredSeed | None:
    """Return the seed that each reset plants; None if there is none."""
    rows = fetch(session, _STORED)
    return StoredSeed(*rows[0]) if rows else None
