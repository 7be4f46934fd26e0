"""Information about a handle and its database: ``leanbe.info()`` and ``leanbe.counts()``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from leanbe_emitter.storage.schema.states import DeliveryStatus
from leanbe_emitter.storage.schema.tables import DeliveryRow, EventRow, ProductRow
from leanbe_emitter.wire.instants import print_instant


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Numbers of rows in a database; ``deliveries`` has one number for each status."""

    products: int
    events: int
    deliveries: Mapping[DeliveryStatus, int] = field(hash=False)


@dataclass(frozen=True, kw_only=True)
class Info:
    """The result of ``leanbe.info()``: facts about the program and its database.

    Attributes:
        version: the version of this program.
        db: the database's URL, without a password.
        clock_kind: ``manual`` or ``system``.
        now: the present instant of that clock.
        counts: the numbers of products, events and deliveries.
        assumptions: the assumptions that new products of this handle begin with.
        seed_file: the name of the seed file that a reset plants; None if there is none.
    """

    version: str
    db: str
    clock_kind: str
    now: datetime
    counts: Counts
    assumptions: Mapping[str, str] = field(hash=False)
    seed_file: str | None

    def document(self) -> dict[str, Any]:
        """Return the information as JSON."""
        return {
            "version": self.version,
            "db": self.db,
            "clock": {"kind": self.clock_kind, "now": print_instant(self.now)},
            "counts": {
                "products": self.counts.products,
                "events": self.counts.events,
                "deliveries": {each.value: n for each, n in self.counts.deliveries.items()},
            },
            "assumptions": dict(self.assumptions),
            "seedFile": self.seed_file,
        }


def count(session: Session) -> Counts:
    """Count the products, events and deliveries of a database."""
    by_status = dict.fromkeys(DeliveryStatus, 0)
    by_state = select(DeliveryRow.state, func.count()).group_by(DeliveryRow.state)
    for state, number in session.execute(by_state):
        by_status[state.status] += number
    return Counts(
        products=session.scalars(select(func.count()).select_from(ProductRow)).one(),
        events=session.scalars(select(func.count()).select_from(EventRow)).one(),
        deliveries=by_status,
    )
