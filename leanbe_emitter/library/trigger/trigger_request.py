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
from leanbe_emitter.library.setup.naming import named, row_of
from leanbe_emitter.library.trigger.synthetic_events import (
    Author,
    Synthetic,
    TriggerRequest,
    document_of,
)
from leanbe_emitter.outbox import Lease, NewEvent, Recorded, record
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.schema.tables import EventRow, ProductRow
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.assumptions.parsing import check_assumption, parse_assumptions
from leanbe_emitter.wire.envelope import payload_text_of

if TYPE_CHECKING:
    from leanbe_emitter.library.runtime.snapshots import DeliveryRef


@dataclass(frozen=True, kw_only=True)
class PlannedEvents:
    """Synthetic events of a product, written and ready to be recorded."""

    product: ProductRow
    request_assumptions: Mapping[str, str]
    assumptions: AssumptionSet
    synthetics: Sequence[Synthetic]

    def new_events(self) -> list[NewEvent]:
        """Return them as ``outbox.record`` takes them."""
        return [
            NewEvent(
                product_id=self.product.id,
                name=synthetic.name,
                payload_text=synthetic.payload_text,
                document_updated_at=synthetic.document_updated_at,
                assumptions=self.request_assumptions,
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
    product = named(session, reference)
    request_assumptions = {
        name: check_assumption(name, value) for name, value in wanted.assume.items()
    }
    assumptions = parse_assumptions({**product.assumptions, **request_assumptions})
    author = Author(
        product={"_id": product.id, "name": product.name},
        owner=user_references.owner(session, product),
        assumptions=assumptions,
        ids=ids,
        now=now,
        max_depth=settings.max_depth,
        max_payload_bytes=settings.max_payload_bytes,
    )
    same_as = (earlier.name, document_of(payload_text_of(earlier.body))) if earlier else None
    return PlannedEvents(
        product=product,
        request_assumptions=request_assumptions,
        assumptions=assumptions,
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
    return session.get_one(EventRow, row_of(session, reference).event_id)
