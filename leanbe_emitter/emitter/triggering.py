"""From what is asked for to events that can be recorded, or only be looked at.

Nothing here writes or sends: what ``trigger_all`` records and ``rehearse`` shows is the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from leanbe_emitter.clock import from_milliseconds, to_milliseconds
from leanbe_emitter.delivery.transport import compose_headers
from leanbe_emitter.domain import users
from leanbe_emitter.emitter.deliveries import DeliveryRef, row_of
from leanbe_emitter.emitter.masking import masked
from leanbe_emitter.emitter.naming import named
from leanbe_emitter.emitter.snapshots import Delivery, Event, Headers
from leanbe_emitter.emitter.synthetic import Author, Synthetic, Wanted, document_of
from leanbe_emitter.errors import Conflict, InvalidValue
from leanbe_emitter.ids import Ids
from leanbe_emitter.outbox import NewEvent, triggered_at, wants
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.tables import EventRow, ProductRow, WebhookRow
from leanbe_emitter.ways import SET_WEBHOOK
from leanbe_emitter.wire.assumptions import check, deviations, read
from leanbe_emitter.wire.envelope import seal
from leanbe_emitter.wire.reading import Reading


@dataclass(frozen=True, kw_only=True)
class Triggered:
    """An event that was triggered, and its delivery: None where nothing is owed."""

    event: Event
    delivery: Delivery | None

    def owed(self) -> Delivery:
        """Return the delivery, for those to whom the event is of no use without one.

        Raises:
            Conflict: nothing is owed.
        """
        if self.delivery is None:
            raise Conflict(
                f"{self.event.name} was recorded, and nothing is owed for it.",
                hint=SET_WEBHOOK.between("Set a webhook URL, if the product has none: ", "."),
            )
        return self.delivery

    def document(self) -> dict[str, Any]:
        """Return both as JSON."""
        delivery = None if self.delivery is None else self.delivery.document()
        return {"event": self.event.document(), "delivery": delivery}


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """A request that would be made, had it not been a rehearsal.

    Attributes:
        url: None where nothing would be owed.
        headers: those of the request; without a URL, the event's own only.
        assumptions: the switches that are not the article's.
    """

    event: str
    method: str
    url: str | None
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    assumptions: Mapping[str, str] = field(hash=False)

    def document(self) -> dict[str, Any]:
        """Return the request as JSON, the values of headers that the product set masked."""
        return {
            "event": self.event,
            "method": self.method,
            "url": self.url,
            "headers": masked(self.headers, assumptions=self.assumptions),
            "body": self.body.decode(),
        }


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Synthetic events of a product, written and ready to be recorded."""

    product: ProductRow
    overrides: Mapping[str, str]
    reading: Reading
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

    def rehearsed(self, webhook: WebhookRow, *, now: datetime) -> Iterator[Rehearsed]:
        """Yield the requests that they would be, recorded at that instant."""
        last = self.product.last_triggered_at
        for synthetic in self.synthetics:
            last = triggered_at(
                now=to_milliseconds(now),
                last=last,
                document_updated_at=synthetic.document_updated_at,
            )
            yield self._rehearsed(webhook, synthetic, at=from_milliseconds(last))

    def _rehearsed(self, webhook: WebhookRow, synthetic: Synthetic, *, at: datetime) -> Rehearsed:
        sealed = seal(
            synthetic.payload_text,
            event=synthetic.name,
            triggered_at=at,
            secret=webhook.secret,
            reading=self.reading,
        )
        body = sealed.body.encode()
        url = webhook.url if wants(self.reading, synthetic.name) else None
        headers = (*sealed.headers, *((name, value) for name, value in webhook.headers))
        return Rehearsed(
            event=synthetic.name,
            method=self.reading.method,
            url=url,
            headers=compose_headers(url, content_length=len(body), extra=headers)
            if url
            else headers,
            body=body,
            assumptions=deviations(self.reading),
        )


def ask(session: Session, wanted: Wanted, *, now: datetime, ids: Ids, settings: Settings) -> Asked:
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
    overrides = {name: check(name, value) for name, value in wanted.assume.items()}
    reading = read({**product.assumptions, **overrides})
    author = Author(
        product={"_id": product.id, "name": product.name},
        owner=users.owner(session, product),
        reading=reading,
        ids=ids,
        now=now,
        max_depth=settings.max_depth,
        max_payload_bytes=settings.max_payload_bytes,
    )
    same_as = (earlier.name, document_of(earlier.payload_text)) if earlier else None
    return Asked(
        product=product,
        overrides=overrides,
        reading=reading,
        synthetics=[
            synthetic
            for _ in range(wanted.times)
            for synthetic in author.write(wanted.events, wanted.changes, same_as=same_as)
        ],
    )


def _event_of(session: Session, reference: DeliveryRef) -> Event:
    return Event.of(session.get_one(EventRow, row_of(session, reference).event_id))
