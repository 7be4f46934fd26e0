"""Snapshots of a delivery and its event, true at the moment they were taken."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

from leanbe_emitter.clock import from_milliseconds
from leanbe_emitter.delivery.network.transport import compose_headers
from leanbe_emitter.delivery.watching import Attempt
from leanbe_emitter.domain.lookup import Identified
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.header_rules import Headers, header_pairs
from leanbe_emitter.library.documents.document_snapshot import text_of
from leanbe_emitter.library.runtime.awaitables import Itself, Results
from leanbe_emitter.outbox import Recorded
from leanbe_emitter.storage.schema.states import DeliveryStatus, Outcome
from leanbe_emitter.storage.schema.tables import AttemptRow, EventRow
from leanbe_emitter.wire.envelope import payload_text_of
from leanbe_emitter.wire.instants import print_instant

if TYPE_CHECKING:
    from leanbe_emitter.delivery.network.request_code import RequestCode
    from leanbe_emitter.library.deliveries.probing import Probed
    from leanbe_emitter.wire.explain.explainer import Explanation
    from leanbe_emitter.wire.explain.signature_steps import SignatureSteps


class RequestActions(Protocol):
    """The methods that a delivery's snapshot calls for its requests: ``DeliveryRequests``."""

    def code(
        self, delivery: "Delivery", form: str, *, attempt: int | None, masks: bool
    ) -> "RequestCode":
        """Return code that sends a request again."""

    def signature(self, delivery: "Delivery", *, attempt: int | None) -> "SignatureSteps":
        """Return how a request was signed."""

    def signed_text(self, delivery: "Delivery") -> str:
        """Return the text that was signed."""

    def explain(
        self,
        delivery: "Delivery",
        *,
        attempt: int | None,
        got: str | None,
        hashed: bytes | None,
        lang: str | None,
    ) -> "Explanation":
        """Explain the body, or the signature that the receiver computed."""

    def probe(self, delivery: "Delivery", *, lang: str | None) -> "Probed":
        """Ask the receiver which mistake it makes."""


class DeliveryActions(Protocol):
    """The part of ``leanbe.deliveries`` that a delivery's snapshot calls."""

    @property
    def requests(self) -> RequestActions:
        """Accounts of a delivery's requests."""

    def redeliver(self, delivery: "Delivery", /, *, times: int) -> "Results[Delivery]":
        """Deliver the same bytes again, ``times`` times."""


@dataclass(frozen=True, kw_only=True)
class Event(Identified):
    """An event that was recorded. Its body is final: every attempt sends these bytes.

    Attributes:
        sequence: the event's number among the product's events, from 1.
        triggered_at: an aware instant in UTC; the body prints it in the format that the product's
            assumptions choose. Events of a product have distinct instants: in a burst, and while
            the clock stands still, each is a millisecond later than the one before, and ahead of
            the clock.
    """

    name: str
    product_id: str
    sequence: int
    triggered_at: datetime
    method: str
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)

    @classmethod
    def of(cls, row: EventRow) -> "Event":
        """Take a snapshot of the row."""
        return cls(
            id=row.id,
            name=row.name,
            product_id=row.product_id,
            sequence=row.sequence,
            triggered_at=from_milliseconds(row.triggered_at),
            method=row.method,
            headers=header_pairs(row.headers),
            body=row.body.encode(),
        )

    @cached_property
    def payload_text(self) -> str:
        """The payload's text, as it was signed."""
        return payload_text_of(self.body.decode())

    @cached_property
    def payload(self) -> Any:
        """The payload as a JSON value: a dict, unless ``trigger`` was given another value."""
        return json.loads(self.payload_text)

    def document(self, *, has_payload: bool = True) -> dict[str, Any]:
        """Return the event as JSON, without its signature, and with its payload if wanted."""
        document: dict[str, Any] = {
            "_id": self.id,
            "event": self.name,
            "product": self.product_id,
            "sequence": self.sequence,
            "triggeredAt": print_instant(self.triggered_at),
        }
        if has_payload:
            # Not ``self.payload``, which would keep the values of all events of a long list.
            document["payload"] = json.loads(payload_text_of(self.body.decode()))
        return document

    def text(self) -> str:
        """Return the text of ``document()``, which contains the payload's own text.

        Parsed, a payload of many small values takes many times as much memory as its text.
        """
        begins = text_of(self.document(has_payload=False)).removesuffix("}")
        return f'{begins},"payload":{payload_text_of(self.body.decode())}}}'


@dataclass(frozen=True, kw_only=True)
class Delivery(Identified, Itself):
    """A delivery of one event to one webhook.

    Attributes:
        next_due_at: when the next attempt is due; None if the delivery is settled, or while an
            attempt is in flight.
        url: the URL of the last attempt; before the first attempt, the product's URL.
        created_at: when the delivery was recorded, so that it was owed.
        redelivery_of: the id of the event's first delivery, if this is a later one.
        job: the name of the job that made the delivery; None if no job did.
    """

    event: Event
    status: DeliveryStatus
    attempts: tuple[Attempt, ...]
    next_due_at: datetime | None
    url: str | None
    created_at: datetime
    redelivery_of: str | None
    job: str | None
    _actions: DeliveryActions = field(repr=False, compare=False)

    @classmethod
    def of(
        cls,
        row: Any,
        event: Event,
        attempts: Sequence[AttemptRow],
        *,
        redelivery_of: str | None,
        actions: DeliveryActions,
    ) -> "Delivery":
        """Take a snapshot of the rows; the delivery's has ``url`` and ``job``, too."""
        awaits_attempt = row.state.status is DeliveryStatus.PENDING and row.lease_token is None
        due_at = from_milliseconds(row.due_at) if awaits_attempt else None
        made = [
            *(_attempt(each, event, DeliveryStatus.PENDING, None) for each in attempts[:-1]),
            *(_attempt(each, event, row.state.status, due_at) for each in attempts[-1:]),
        ]
        return cls(
            id=row.id,
            event=event,
            status=row.state.status,
            attempts=tuple(made),
            next_due_at=due_at,
            url=attempts[-1].url if attempts else row.url,
            created_at=from_milliseconds(row.created_at),
            redelivery_of=redelivery_of,
            job=row.job,
            _actions=actions,
        )

    @property
    def delivered(self) -> bool:
        """Whether the receiver accepted the delivery."""
        return self.status is DeliveryStatus.DELIVERED

    @property
    def outcome(self) -> Outcome | None:
        """The outcome of the last attempt; None if there was no attempt yet."""
        return self.attempts[-1].outcome if self.attempts else None

    def redeliver(self, *, times: int = 1) -> "Results[Delivery]":
        """Deliver the same bytes again, to the product's present URL, ``times`` times."""
        return self._actions.redeliver(self, times=times)

    def code(
        self, form: str = "curl", *, attempt: int | None = None, masks: bool = False
    ) -> "RequestCode":
        """Return code that sends the same bytes to the same URL.

        Args:
            form: ``curl`` (a shell command), ``http`` (the request's bytes), ``pytest``, ``node``
                (a test each), or ``command`` (of leanbe-emitter).
            attempt: the number of the attempt; by default the last one, or else the first to come.
            masks: whether ``********`` stands for the values of headers that the product set.

        Raises:
            Conflict: no request was sent yet, and the product has no URL.
            InvalidValue: there is no such form.
            NotFound: the product was deleted meanwhile, or there is no such attempt.
        """
        return self._actions.requests.code(self, form, attempt=attempt, masks=masks)

    def signature(self, *, attempt: int | None = None) -> "SignatureSteps":
        """Return how a request was signed: text, formula, secret and digits.

        Args:
            attempt: the number of the attempt; by default the last one, or else the first to come.

        Raises:
            NotFound: the product was deleted meanwhile, or there is no such attempt.
        """
        return self._actions.requests.signature(self, attempt=attempt)

    def signed_text(self) -> str:
        """Return the text that was signed; a receiver has to hash its UTF-8.

        It is that of the last request, unless a fault changed its body.

        Raises:
            NotFound: the product was deleted meanwhile.
        """
        return self._actions.requests.signed_text(self)

    @overload
    def explain(
        self,
        *,
        attempt: int | None = None,
        got: str | None = None,
        hashed: bytes | None = None,
        lang: str | None = None,
        probe: Literal[False] = False,
    ) -> "Explanation": ...

    @overload
    def explain(self, *, lang: str | None = None, probe: Literal[True]) -> "Probed": ...

    @overload
    def explain(
        self,
        *,
        attempt: int | None,
        got: str | None,
        hashed: bytes | None,
        lang: str | None,
        probe: bool,
    ) -> "Explanation | Probed": ...

    def explain(
        self,
        *,
        attempt: int | None = None,
        got: str | None = None,
        hashed: bytes | None = None,
        lang: str | None = None,
        probe: bool = False,
    ) -> "Explanation | Probed":
        """Explain why a receiver refuses the signature, or computes another one.

        The product's present secret is the right one. The explanation recognises old secrets of the
        product and secrets of other products. It also names a fault of the attempt.

        Args:
            attempt: the number of the attempt; by default the last one.
            got: the signature that the receiver computed. By default, it is looked for in the
                answer of the attempt, if the receiver refused it.
            hashed: the bytes that the receiver hashed.
            lang: the receiver's language, such as ``php``, for the repair.
            probe: ask the receiver itself. It gets up to some hundred requests: this event with
                fresh ids, signed as each known mistake would sign it. It may act on those that it
                accepts. Nothing of them is stored here. In a running event loop, await the result.

        Raises:
            InvalidValue: the product never had a secret, there are no repairs for the language, or
                a probe got an attempt, a signature or a hashed text.
            NotFound: the product was deleted meanwhile, or there is no such attempt.
            Conflict: a probe in an open transaction or inside a receiver, or the product has no
                URL to ask.
        """
        requests = self._actions.requests
        if not probe:
            return requests.explain(self, attempt=attempt, got=got, hashed=hashed, lang=lang)
        if (attempt, got, hashed) != (None, None, None):
            raise InvalidValue(
                "A probe asks the receiver itself, so attempt, got and hashed have no use.",
                hint="Leave them out, or leave out probe.",
            )
        return requests.probe(self, lang=lang)

    def document(self, *, has_payload: bool = True) -> dict[str, Any]:
        """Return the delivery with its event, with a payload if wanted, and attempts as JSON."""
        due = None if self.next_due_at is None else print_instant(self.next_due_at)
        return {
            "_id": self.id,
            "status": self.status.value,
            "nextDueAt": due,
            "owedAt": print_instant(self.created_at),
            "redeliveryOf": self.redelivery_of,
            "job": self.job,
            "url": self.url,
            "event": self.event.document(has_payload=has_payload),
            "attempts": [attempt.document() for attempt in self.attempts],
        }

    def text(self) -> str:
        """Return the text of ``document()``, which contains the payload's own text."""
        members = {
            name: self.event.text() if name == "event" else text_of(value)
            for name, value in self.document(has_payload=False).items()
        }
        return "{" + ",".join(f'"{name}":{text}' for name, text in members.items()) + "}"


def _attempt(
    row: AttemptRow, event: Event, status: DeliveryStatus, next_due_at: datetime | None
) -> Attempt:
    """Take a snapshot of an attempt, after which its delivery had this status."""
    return Attempt(
        delivery_id=row.delivery_id,
        event=event.name,
        product_id=event.product_id,
        number=row.number,
        started_at=from_milliseconds(row.started_at),
        method=event.method,
        url=row.url,
        request_body=event.body if row.request_body is None else row.request_body.encode(),
        outcome=Outcome(row.outcome),
        duration_ms=row.duration_us / 1000,
        request_headers=header_pairs(row.request_headers) or _headers_of_lost(row, event),
        answer_status=row.answer_status,
        answer_headers=None if row.answer_headers is None else header_pairs(row.answer_headers),
        answer_body=row.answer_body,
        answer_length=row.answer_length,
        error=row.error,
        fault=row.fault,
        assumptions=dict(row.deviations),
        status=status,
        next_due_at=next_due_at,
    )


def _headers_of_lost(row: AttemptRow, event: Event) -> Headers:
    """Return the headers of an attempt whose worker vanished: event and URL determine them.

    Only such an attempt has none on record; without a URL, there are none to find.
    """
    if not row.url:
        return ()
    body = event.body if row.request_body is None else row.request_body.encode()
    return compose_headers(row.url, content_length=len(body), extra=event.headers)


#: A delivery is named by a snapshot of it, its id, or a part of the id.
DeliveryRef = Delivery | str


@dataclass(kw_only=True)
class RecordedEvents:
    """The result of ``leanbe.foreground``; empty until its block has ended.

    Attributes:
        recorded: the events, in their order: ``name``, ``event_id``, ``product_id``, and
            ``delivery_id``, which is None for an event without a delivery.
        deliveries: the deliveries of the events, after the first attempts.
    """

    recorded: Sequence[Recorded] = ()
    deliveries: Sequence[Delivery] = ()
