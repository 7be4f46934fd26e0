"""Plan the synthetic events of a ``TriggerRequest``, and record them. Nothing here sends.

``trigger_all`` and ``Recorder`` record the same events that ``dry_run`` shows. This module imports
as little as possible: no sender, no event loop, and no table of documents. Importing the rest of
``Leanbe`` takes a third of the time of a short command.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from leanbe_emitter.domain import lookup
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.ids import Ids
from leanbe_emitter.library.runtime.opening import OpenDatabase
from leanbe_emitter.library.trigger.synthetic_events import Author, TriggerRequest, document_of
from leanbe_emitter.outbox import Lease, NewEvent, Recorded, record
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.engine.database import again_after_deadlock
from leanbe_emitter.storage.schema.tables import EventRow, ProductRow
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.assumptions.parsing import check_assumption, parse_assumptions
from leanbe_emitter.wire.envelope import payload_text_of
from leanbe_emitter.wire.stringify import JSON


@dataclass(frozen=True, kw_only=True)
class PlannedEvents:
    """Synthetic events of a product, written and ready to be recorded."""

    product: ProductRow
    assumptions: AssumptionSet
    events: Sequence[NewEvent]


def plan(
    session: Session, request: TriggerRequest, *, now: datetime, ids: Ids, settings: Settings
) -> PlannedEvents:
    """Write the payloads of the requested events.

    Raises:
        InvalidValue: no event is requested, an event is unknown, a path is wrong, an assumption is
            refused, or there are several products and the request names none.
        NotFound: there is no such product or delivery.
        PayloadTooLarge: a payload, or the whole request, is larger than its limit.
    """
    if not request.events or request.times < 1:
        raise InvalidValue(
            "No event was asked for.", hint="Name one or more, once or more: idea.created."
        )
    if request.limits is not None:
        request.limits.check_events(len(request.events) * request.times)
    earlier = None
    if request.same_as is not None:
        same = lookup.delivery(session, request.same_as)
        earlier = session.get_one(EventRow, same.event_id)
    reference = earlier.product_id if earlier and request.product is None else request.product
    product = lookup.product(session, reference)
    request_assumptions = {
        name: check_assumption(name, value) for name, value in request.assume.items()
    }
    assumptions = parse_assumptions({**product.assumptions, **request_assumptions})
    author = Author(
        changes=request.changes,
        product={"_id": product.id, "name": product.name},
        owner=lookup.owner(session, product),
        assumptions=assumptions,
        request_assumptions=request_assumptions,
        ids=ids,
        now=now,
        max_depth=settings.max_depth,
        max_payload_bytes=settings.max_payload_bytes,
    )
    same_as = (earlier.name, document_of(payload_text_of(earlier.body))) if earlier else None
    return PlannedEvents(
        product=product, assumptions=assumptions, events=list(_written(author, request, same_as))
    )


def _written(
    author: Author, request: TriggerRequest, same_as: tuple[str, Mapping[str, JSON]] | None
) -> Iterator[NewEvent]:
    """Yield the events; stop as soon as their payloads exceed the request's limit."""
    size = 0
    for _ in range(request.times):
        for event in author.write(request.events, same_as=same_as):
            if request.limits is not None:
                size += len(event.payload_text.encode())
                request.limits.check_bytes(size)
            yield event


def record_planned(  # noqa: PLR0913 - the request, and what it is recorded with
    session: Session,
    request: TriggerRequest,
    *,
    now: datetime,
    ids: Ids,
    settings: Settings,
    lease: Lease | None = None,
) -> list[Recorded]:
    """Plan the requested events and record them in the caller's transaction.

    A caller that makes the first attempts passes its lease. Raises what ``plan`` raises.
    """
    planned = plan(session, request, now=now, ids=ids, settings=settings)
    return record(session, planned.events, now=now, ids=ids, lease=lease)


class Recorder(OpenDatabase):
    """Records synthetic events in a database."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._ids = Ids()

    @again_after_deadlock
    def record(self, request: TriggerRequest) -> list[Recorded]:
        """Record synthetic events of one document, and their deliveries.

        Raises:
            InvalidValue: an unknown event, a wrong path, or an assumption that is refused.
            NotFound: there is no such product or delivery.
        """
        with self._database.transaction() as session:
            return record_planned(
                session, request, now=self._clock.now(), ids=self._ids, settings=self._settings
            )
