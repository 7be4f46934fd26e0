"""Filters of deliveries, and the statement that finds what a filter selects."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from leanbe_emitter.clock import to_milliseconds
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.library.runtime.references import product_row
from leanbe_emitter.library.setup.product import ProductRef
from leanbe_emitter.storage.schema.states import DeliveryState, DeliveryStatus
from leanbe_emitter.storage.schema.tables import DeliveryRow, EventRow
from leanbe_emitter.wire.event_names import matching
from leanbe_emitter.wire.suggestions import any_of


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which deliveries are meant; what is None does not matter.

    Attributes:
        status: their status.
        is_settled: whether nothing is owed any more, however it went.
        event: a glob of event names (``idea.*``).
        product: whose they are.
        since: created at this instant or later.
        before: created before this instant.
    """

    status: DeliveryStatus | str | None = None
    is_settled: bool | None = None
    event: str | None = None
    product: ProductRef | None = None
    since: datetime | None = None
    before: datetime | None = None


def selected(session: Session, which: Filter, what: Any = DeliveryRow) -> Select[Any]:
    """Return the statement that finds what a filter means.

    Raises:
        NotFound: the filter names a product that is not there.
        InvalidValue: its glob matches no event name, or its status is none.
    """
    statement = select(what).where(DeliveryRow.state.in_(_states(which)))
    if which.event is not None:
        names = matching(which.event)
        statement = statement.join(EventRow).where(EventRow.name.in_(names))
    if which.product is not None:
        statement = statement.where(
            DeliveryRow.product_id == product_row(session, which.product).id
        )
    if which.since is not None:
        statement = statement.where(DeliveryRow.created_at >= to_milliseconds(which.since))
    if which.before is not None:
        statement = statement.where(DeliveryRow.created_at < to_milliseconds(which.before))
    return statement


def _states(which: Filter) -> Sequence[DeliveryState]:
    if which.status is not None and which.status not in set(DeliveryStatus):
        raise InvalidValue(
            f"{which.status!r} is no status of a delivery.", hint=f"Use {any_of(DeliveryStatus)}."
        )
    return [
        state
        for state in DeliveryState
        if which.status in {None, state.status} and which.is_settled in {None, state.is_end}
    ]
