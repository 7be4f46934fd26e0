"""The statement that finds the deliveries that a filter selects."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from leanbe_emitter.clock import to_milliseconds
from leanbe_emitter.errors import InvalidValue, check_type
from leanbe_emitter.library.deliveries import evidence_filter
from leanbe_emitter.library.deliveries.delivery_filter import Filter
from leanbe_emitter.library.runtime.references import product_row
from leanbe_emitter.storage.schema.states import DeliveryState, DeliveryStatus
from leanbe_emitter.storage.schema.tables import DeliveryRow, EventRow
from leanbe_emitter.wire.did_you_mean import any_of
from leanbe_emitter.wire.event_names import matching


def selected(session: Session, which: Filter, what: Any = DeliveryRow) -> Select[Any]:
    """Return the statement that finds the deliveries that a filter selects.

    Raises:
        NotFound: there is no such product.
        InvalidValue: the glob matches no event name, or there is no such status, outcome, answer or
            fault.
    """
    check_type(which, Filter, what="The filter", words='a Filter, such as Filter(event="idea.*")')
    statement = select(what).where(*evidence_filter.conditions(which))
    if which.status is not None or which.is_settled is not None:
        statement = statement.where(DeliveryRow.state.in_(_states(which)))
    if which.event is not None or evidence_filter.is_of_event(which):
        statement = statement.join(EventRow)
    if which.event is not None:
        statement = statement.where(EventRow.name.in_(matching(which.event)))
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
