"""The probe of a delivery's receiver: which mistake it makes with the signature of that event."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Self

from leanbe_emitter.delivery.probing.conversation import ProbeEvents, events_of, sample_events
from leanbe_emitter.delivery.probing.prober import OtherSecrets, Prober, prober_of
from leanbe_emitter.delivery.queue_types import Headers, WebhookSettings
from leanbe_emitter.errors import Conflict
from leanbe_emitter.header_rules import header_pairs
from leanbe_emitter.hints import SET_WEBHOOK
from leanbe_emitter.library.deliveries.delivery import Delivery
from leanbe_emitter.library.deliveries.delivery_requests import (
    assumptions_of,
    attempt_of,
    other_secrets_of,
    webhook_of,
)
from leanbe_emitter.library.runtime.awaitables import Itself
from leanbe_emitter.library.runtime.delivery_engine import Engine
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.storage.schema.tables import WebhookRow
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.explain.probe import ProbeEvent, ProbeResult

_STEP = timedelta(milliseconds=1)


class Probed(ProbeResult, Itself):
    """The result of ``delivery.explain(probe=True)``: an explanation by the receiver's answers."""

    @classmethod
    def of(cls, result: ProbeResult) -> Self:
        """Return the result as one that can be awaited."""
        return cls(**{each.name: getattr(result, each.name) for each in fields(result)})


@dataclass(frozen=True, kw_only=True)
class _Webhook:
    """The part of the delivery's product that a probe needs."""

    settings: WebhookSettings
    headers: Headers
    assume: Mapping[str, str]
    other_secrets: OtherSecrets


class Probing:
    """Asks the receivers of deliveries."""

    def __init__(self, transactions: Transactions, engine: Engine) -> None:
        self._transactions = transactions
        self._engine = engine

    async def probe(self, delivery: Delivery, *, lang: str | None) -> Probed:
        """Ask the receiver of a delivery; see ``Delivery.explain`` for the errors."""
        self._engine.require_possible()
        webhook = self._webhook_of(delivery)
        prober = self._prober(delivery, webhook, lang)
        return Probed.of(await prober.probe(self._events(delivery, webhook)))

    def _webhook_of(self, delivery: Delivery) -> _Webhook:
        with self._transactions.looking() as session:
            row = webhook_of(session, delivery)
            return _Webhook(
                settings=_settings(row),
                headers=header_pairs(row.headers),
                assume=assumptions_of(session, delivery, attempt_of(delivery, None)),
                other_secrets=other_secrets_of(session, row),
            )

    def _prober(self, delivery: Delivery, webhook: _Webhook, lang: str | None) -> Prober:
        return prober_of(
            webhook.settings,
            settled_by=self._engine.send_single,
            clock=self._transactions.clock,
            ids=self._transactions.ids,
            headers=webhook.headers,
            assume=webhook.assume,
            after=delivery.event.triggered_at + _STEP,
            lang=lang,
            other_secrets=webhook.other_secrets,
        )

    def _events(self, delivery: Delivery, webhook: _Webhook) -> ProbeEvents:
        event = ProbeEvent(name=delivery.event.name, payload_text=delivery.event.payload_text)
        samples = sample_events(
            product={"_id": delivery.event.product_id, "name": "Acme"},
            ids=self._transactions.ids,
            now=self._transactions.clock.now(),
            assumptions=parse_assumptions(webhook.assume),
        )
        return events_of(event, samples)


def _settings(row: WebhookRow) -> WebhookSettings:
    if row.url is None:
        raise Conflict(
            "The product has no URL, so there is no receiver to ask.",
            hint=SET_WEBHOOK.between("Set one: ", "."),
        )
    return WebhookSettings(
        url=row.url, secret=row.secret, ca_file=row.ca_file, insecure=row.insecure, assumptions={}
    )
