"""From what is asked for to events that can be recorded: nothing here sends.

What ``trigger_all`` and ``Recorder`` record, and ``dry_run`` shows, is the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from leanbe_emitter.domain import user_references
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.ids import Ids
from leanbe_emitter.library.runtime.references import delivery_row, product_row
from leanbe_emitter.library.trigger.synthetic_events import (
    Author,
    Synthetic,
    TriggerRequest,
    document_of,
)
from leanbe_emitter.outbox import Lease, NewEvent, Recorded, record
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.schema.tables import EventRow, ProductRow
from leanbe_emitter.wire.assumptions.lookup import check, read
from leanbe_emitter.wire.assumptions.reading import AssumptionSet
from leanbe_emitter.wire.envelope import payload_text_of

if TYPE_CHECKING:
    from leanbe_emitter.library.deliveries.delivery import DeliveryRef


@dataclass(frozen=True, kw_only=True)
class PlannedEvents:
    """Synthetic events of a product, written and ready to be recorded."""

    product: ProductRow
    overrides: Mapping[str, str]
    reading: AssumptionSet
    synthetics: Sequence[Synthetic]

    def new_events(self) -> list[NewEvent]:
        """Return them as ``outbox.record`` takes them."""
        return [
            NewEvent(
                product_id=self.product.id,
                name=synthetic.name,
                payload_text=synthetic.payload_text,
                document_updated_at=synthetic.document_updated_at,
                overrides=self.overrides,
            )
            for synthetic in self.synthetics
        ]


def ask(
    session: Session, wanted: TriggerRequest, *, now: datetime, ids: Ids, settings: Settings
) -> PlannedEvents:
    """Write the payloads of what is wanted.

    Raises:
        InvalidValue: nothing is asked for; an unknown event, a wrong path, an assumption that is
            refused, or several products and none of them named.
        NotFound: there is no such product or delivery.
    """
    if not wanted.events or wanted.times < 1:
        raise InvalidValue(
            "No event was asked for.", hint="Name one or more, once or more: idea.created."
        )
    earlier = None if wanted.same_as is None else _event_of(session, wanted.same_as)
    reference = earlier.product_id if earlier and wanted.product is None else wanted.product
    product = product_row(session, reference)
    overrides = {name: check(name, value) for name, value in wanted.assume.items()}
    reading = read({**product.assumptions, **overrides})
    author = Author(
        product={"_id": product.id, "name": product.name},
        owner=user_references.owner(session, product),
        reading=reading,
        ids=ids,
        now=now,
        max_depth=settings.max_depth,
        max_payload_bytes=settings.max_payload_bytes,
    )
    same_as = (earlier.name, document_of(payload_text_of(earlier.body))) if earlier else None
    return PlannedEvents(
        product=product,
        overrides=overrides,
        reading=reading,
        synthetics=[
            synthetic
            for _ in range(wanted.times)
            for synthetic in author.write(wanted.events, wanted.changes, same_as=same_as)
        ],
    )


def recorded(  # noqa: PLR0913 - what is asked, and what records it
    session: Session,
    wanted: TriggerRequest,
    *,
    now: datetime,
    ids: Ids,
    settings: Settings,
    lease: Lease | None = None,
) -> list[Recorded]:
    """Write the payloads of what is wanted, and record them in the caller's transaction.

    The lease is that of who makes the first attempts; raises what ``ask`` does.
    """
    asked = ask(session, wanted, now=now, ids=ids, settings=settings)
    return record(session, asked.new_events(), now=now, ids=ids, lease=lease)


def _event_of(session: Session, reference: "DeliveryRef") -> EventRow:
    return session.get_one(EventRow, delivery_row(session, reference).event_id)
