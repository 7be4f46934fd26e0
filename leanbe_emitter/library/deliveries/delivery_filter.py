"""Filters of deliveries, and the statement that finds what a filter selects."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from leanbe_emitter.clock import check_instant, to_milliseconds
from leanbe_emitter.errors import InvalidValue, check_type
from leanbe_emitter.library.runtime.references import product_row
from leanbe_emitter.library.setup.product import ProductRef
from leanbe_emitter.storage.schema.states import DeliveryState, DeliveryStatus
from leanbe_emitter.storage.schema.tables import DeliveryRow, EventRow
from leanbe_emitter.wire.did_you_mean import any_of
from leanbe_emitter.wire.event_names import matching


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A filter of deliveries. An attribute that is None selects every delivery.

    Attributes:
        status: the status of the deliveries.
        is_settled: whether the deliveries are settled, with whatever status.
        event: an event name, or a glob of names (``idea.*``).
        product: the product of the deliveries.
        since: the deliveries were created at this instant or later.
        before: the deliveries were created before this instant.
    """

    status: DeliveryStatus | str | None = None
    is_settled: bool | None = None
    event: str | None = None
    product: ProductRef | None = None
    since: datetime | None = None
    before: datetime | None = None

    def __post_init__(self) -> None:
        for name, instant in (("since", self.since), ("before", self.before)):
            if instant is not None:
                check_instant(instant, what=name)


def selected(session: Session, which: Filter, what: Any = DeliveryRow) -> Select[Any]:
    """Return the statement that finds the deliveries that a filter selects.

    Raises:
        NotFound: there is no such product.
        InvalidValue: the glob matches no event name, or there is no such status.
    """
    check_type(which, Filter, what="The filter", words='a Filter, such as Filter(event="idea.*")')
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
