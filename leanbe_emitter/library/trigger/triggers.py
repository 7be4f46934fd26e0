"""Trigger synthetic events: record and deliver them, or show the requests in a dry run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leanbe_emitter.clock import from_milliseconds, to_milliseconds
from leanbe_emitter.delivery.header_masking import masked
from leanbe_emitter.delivery.network.transport import compose_headers
from leanbe_emitter.delivery.watching import Watcher
from leanbe_emitter.domain import webhooks
from leanbe_emitter.errors import Conflict
from leanbe_emitter.header_rules import Headers, header_pairs
from leanbe_emitter.hints import SET_WEBHOOK
from leanbe_emitter.library.deliveries.deliveries import Deliveries
from leanbe_emitter.library.deliveries.delivery import Delivery, Event
from leanbe_emitter.library.runtime.delivery_engine import Engine
from leanbe_emitter.library.runtime.transactions import Transactions, one_transaction
from leanbe_emitter.library.trigger.recorder import PlannedEvents, plan, record_planned
from leanbe_emitter.library.trigger.synthetic_events import TriggerRequest
from leanbe_emitter.outbox import Lease, NewEvent, Recorded, sends_event, triggered_at
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.schema.tables import EventRow, WebhookRow
from leanbe_emitter.wire.assumptions.parsing import changed_assumptions
from leanbe_emitter.wire.envelope import seal


@dataclass(frozen=True, kw_only=True)
class Triggered:
    """A triggered event and its delivery; None if the product has no webhook that wants it."""

    event: Event
    delivery: Delivery | None

    def require_delivery(self) -> Delivery:
        """Return the delivery.

        Raises:
            Conflict: the event has no delivery.
        """
        if self.delivery is None:
            raise Conflict(
                f"{self.event.name} was recorded, and it has no delivery.",
                hint=SET_WEBHOOK.between("Set a webhook URL, if the product has none: ", "."),
            )
        return self.delivery

    def document(self, *, has_payload: bool = True) -> dict[str, Any]:
        """Return both as JSON, with their payloads if wanted."""
        owed = self.delivery
        return {
            "event": self.event.document(has_payload=has_payload),
            "delivery": None if owed is None else owed.document(has_payload=has_payload),
        }

    def text(self) -> str:
        """Return the text of ``document()``."""
        owed = "null" if self.delivery is None else self.delivery.text()
        return f'{{"event":{self.event.text()},"delivery":{owed}}}'


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """A request that ``trigger_all`` would make.

    Attributes:
        url: where the request would go; None if the event would have no delivery.
        headers: the headers of the request; without a URL, only those of the event.
        assumptions: the assumptions whose value is from the default.
    """

    event: str
    method: str
    url: str | None
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    assumptions: Mapping[str, str] = field(hash=False)

    def document(self) -> dict[str, Any]:
        """Return the request as JSON; the values of headers that the product set are masked."""
        return {
            "event": self.event,
            "method": self.method,
            "url": self.url,
            "headers": masked(self.headers, assumptions=self.assumptions),
            "body": self.body.decode(),
        }


def dry_runs(planned: PlannedEvents, webhook: WebhookRow, *, now: datetime) -> Iterator[DryRun]:
    """Yield the requests of planned events, as if they were recorded at that instant."""
    last = planned.product.last_triggered_at
    for event in planned.events:
        last = triggered_at(
            now=to_milliseconds(now), last=last, document_updated_at=event.document_updated_at
        )
        yield _dry_run(planned, webhook, event, at=from_milliseconds(last))


def _dry_run(
    planned: PlannedEvents, webhook: WebhookRow, event: NewEvent, *, at: datetime
) -> DryRun:
    assumptions = planned.assumptions
    sealed = seal(
        event.payload_text,
        event=event.name,
        triggered_at=at,
        secret=webhook.secret,
        assumptions=assumptions,
    )
    body = sealed.body.encode()
    url = webhook.url if sends_event(assumptions, event.name) else None
    headers = (*sealed.headers, *header_pairs(webhook.headers))
    return DryRun(
        event=event.name,
        method=assumptions.method,
        url=url,
        headers=compose_headers(url, content_length=len(body), extra=headers) if url else headers,
        body=body,
        assumptions=changed_assumptions(assumptions),
    )


class Triggers:
    """Triggers synthetic events in a handle's database."""

    def __init__(
        self,
        transactions: Transactions,
        engine: Engine,
        deliveries: Deliveries,
        *,
        settings: Settings,
    ) -> None:
        self._transactions = transactions
        self._engine = engine
        self._deliveries = deliveries
        self._settings = settings

    async def run(
        self, request: TriggerRequest, *, deliver: bool, watcher: Watcher | None
    ) -> list[Triggered]:
        """Record the events and, with ``deliver``, make the first attempts of their deliveries.

        Raises:
            Conflict: attempts are to be made here, and that is not possible.
            InvalidValue: an unknown event, a wrong path, or an assumption that is refused.
            NotFound: there is no such product or delivery.
        """
        lease = self._engine.new_lease() if deliver else None
        made, events = self._record(request, lease)
        with_delivery = [each.delivery_id for each in made if each.delivery_id]
        await self._engine.attempt(with_delivery, lease=lease, watcher=watcher)
        found = self._deliveries.of(with_delivery, events=events)
        deliveries = {each.id: each for each in found}
        return [
            Triggered(event=event, delivery=deliveries.get(each.delivery_id or ""))
            for event, each in zip(events, made, strict=True)
        ]

    @one_transaction
    def _record(
        self, request: TriggerRequest, lease: Lease | None
    ) -> tuple[list[Recorded], list[Event]]:
        with self._transactions.acting() as action:
            made = record_planned(
                action.session,
                request,
                now=action.now,
                ids=action.ids,
                settings=self._settings,
                lease=lease,
            )
            return made, [
                Event.of(action.session.get_one(EventRow, each.event_id)) for each in made
            ]

    def dry_run(self, request: TriggerRequest) -> list[DryRun]:
        """Return the requests that ``run`` would make. Nothing is stored or sent."""
        now, ids = self._transactions.clock.now(), self._transactions.ids
        with self._transactions.looking() as session:
            planned = plan(session, request, now=now, ids=ids, settings=self._settings)
            return list(dry_runs(planned, webhooks.get(session, planned.product), now=now))
