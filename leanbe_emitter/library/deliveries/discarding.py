"""Discarding pending deliveries: by reference all or none, by a filter those that can be."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from leanbe_emitter.domain import lookup
from leanbe_emitter.errors import Conflict
from leanbe_emitter.hints import LIST_DELIVERIES
from leanbe_emitter.library.deliveries.delivery import DeliveryRef
from leanbe_emitter.library.deliveries.delivery_filter import Filter, selected
from leanbe_emitter.outbox import cancel
from leanbe_emitter.storage.schema.states import UNHELD
from leanbe_emitter.storage.schema.tables import DeliveryRow


def discardable(
    session: Session, references: Sequence[DeliveryRef], which: Filter | None
) -> Select[Any]:
    """Return the statement that finds the deliveries that a discard would cancel.

    Raises:
        NotFound: there is no such delivery, or no such product as the filter names.
        Conflict: a referenced delivery is settled or in flight.
        InvalidValue: a reference matches several deliveries, or the filter is refused.
    """
    ids = [lookup.delivery(session, reference).id for reference in references]
    _require_unheld(session, select(DeliveryRow.id, DeliveryRow.state), ids)
    wanted = [DeliveryRow.id.in_(ids)]
    if which is not None:
        found = selected(session, which, DeliveryRow.id).correlate(None)
        wanted.append(DeliveryRow.id.in_(found))
    return select(DeliveryRow.id).where(or_(*wanted), DeliveryRow.state.in_(UNHELD))


def cancel_named(session: Session, ids: Sequence[str]) -> list[str]:
    """Cancel all of these deliveries, or none, in the caller's transaction.

    Raises:
        Conflict: one is settled or in flight.
    """
    states = select(DeliveryRow.id, DeliveryRow.state)
    # The lock, taken in the order of ids, keeps workers from claiming one of them meanwhile.
    locked = states.order_by(DeliveryRow.id).with_for_update(key_share=True)
    _require_unheld(session, locked, ids)
    return cancel(session, DeliveryRow.id.in_(ids))


def _require_unheld(session: Session, states: Select[*tuple[Any, ...]], ids: Sequence[str]) -> None:
    """Check that none of these deliveries is settled or in flight.

    Raises:
        Conflict: one is.
    """
    for identifier, state in session.execute(states.where(DeliveryRow.id.in_(ids))):
        if state in UNHELD:
            continue
        what = f"{state} already" if state.is_end else "in flight"
        raise Conflict(
            f"The delivery {identifier} is {what}.",
            hint=LIST_DELIVERIES.between(
                "Only a pending delivery between two attempts can be cancelled: ", " lists them."
            ),
        )
