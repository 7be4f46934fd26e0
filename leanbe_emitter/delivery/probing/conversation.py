"""Requests of one probe, one after the other: each with a fresh document and a later instant.

The events are samples of an idea and a customer, and harder ones. An idea and a customer show most
mistakes: a customer has an empty object, which some serialisers turn into a list. The harder ones
tell all serialisers apart, as far as any payload can.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import NamedTuple, Protocol

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.delivery.queue_types import Evidence
from leanbe_emitter.ids import Ids
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.envelope import SealedRequest
from leanbe_emitter.wire.explain.probe import AcceptedEvent, ProbeEvent, SignedEvent, signed_event
from leanbe_emitter.wire.explain.suspects import Suspect
from leanbe_emitter.wire.samples.sample_payloads import SamplePayloads
from leanbe_emitter.wire.stringify import JSON, stringify

#: Characters that serialisers escape, each in another way.
_TEXT = 'Zoë "Łódź" <b>50 %</b> & it\'s 1/2 \u2028 \U0001f680 \x7f'
#: Values that serialisers write in different ways: numbers, empty values, keys in an odd order.
_VALUES: Mapping[str, JSON] = {
    "10": 1,
    "zero": {},
    "empty": [],
    "none": None,
    "list": {"0": 0, "1": 0.5},
    "numbers": [1e21, 1e-7, 1.5e300, 1e16, 12345678901234567890, 12345678.9, 0.00001, 100],
    "digits": "0012.50",
    "instant": "2026-01-01T00:00:00.100Z",
}


@dataclass(frozen=True, kw_only=True)
class ProbeEvents:
    """The events of one probe.

    Attributes:
        asked: those that the receiver is asked with, one after the other until it refuses one.
        hard: those that tell apart serialisers which write the same in an ordinary event.
    """

    asked: tuple[ProbeEvent, ...]
    hard: tuple[ProbeEvent, ...]


def sample_events(
    *, product: Mapping[str, JSON], ids: Ids, now: datetime, assumptions: AssumptionSet
) -> ProbeEvents:
    """Return samples, the ordinary ones first."""
    samples = SamplePayloads(product=product, ids=ids, now=now, assumptions=assumptions)
    idea, customer = samples.payload("idea.created"), samples.payload("customer.created")
    texts: dict[str, JSON] = {**idea, "title": _TEXT}
    hard = (
        _event("idea.created", {**texts, "unusual": {**_VALUES}}, is_ordinary=False),
        _event("idea.created", texts, is_ordinary=False),
    )
    ordinary = (_event("idea.created", idea), _event("customer.created", customer))
    return ProbeEvents(asked=(*ordinary, *reversed(hard)), hard=hard)


def events_of(event: ProbeEvent, samples: ProbeEvents) -> ProbeEvents:
    """Return the events of a probe that asks about one event."""
    return ProbeEvents(asked=(event,), hard=samples.hard)


def _event(name: str, payload: JSON, *, is_ordinary: bool = True) -> ProbeEvent:
    return ProbeEvent(name=name, payload_text=stringify(payload), is_ordinary=is_ordinary)


#: The longest time of one probe, in seconds.
MAX_SECONDS = 60.0
#: The time between the instants of two events.
_STEP = timedelta(milliseconds=1)
#: Statuses that say nothing about a request.
_BUSY = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


class Send(Protocol):
    """Sends one request, and returns what came of it."""

    async def __call__(
        self, sealed: SealedRequest, /, *, event: str, triggered_at: datetime
    ) -> Evidence:
        """Send a request once. Errors of the network become outcomes.

        Args:
            sealed: its body, and the envelope's headers.
            event: the event's name.
            triggered_at: the event's instant.
        """
        ...


class Unanswered(Exception):
    """The receiver answers nothing that says something about signatures; the text says why."""


class Reply(NamedTuple):
    """A receiver's answer to one signature of an event."""

    signed: SignedEvent
    signature: str
    evidence: Evidence

    @property
    def accepted(self) -> bool:
        """Whether the receiver accepted the request."""
        return self.evidence.outcome is Outcome.DELIVERED

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.evidence.answer_status or 0


@dataclass(kw_only=True)
class Conversation:
    """The requests to one receiver, and their answers.

    Attributes:
        send: sends a request.
        secret: the secret that the receiver should verify with.
        assumptions: those of its product.
        new_id: returns the id of a new document.
        now: the instant of the next event.
        requests: the number of requests until now.
        accepted: the events that the receiver accepted.
    """

    send: Send
    secret: str = field(repr=False)
    assumptions: AssumptionSet
    new_id: Callable[[], str]
    now: datetime
    requests: int = 0
    accepted: list[AcceptedEvent] = field(default_factory=list)
    _ends_at: float = field(init=False, default_factory=lambda: stopwatch() + MAX_SECONDS)

    def next_event(self, event: ProbeEvent) -> SignedEvent:
        """Return an event with a fresh document and a later instant, signed rightly."""
        self.now += _STEP
        return signed_event(
            event,
            new_id=self.new_id(),
            triggered_at=self.now,
            secret=self.secret,
            assumptions=self.assumptions,
        )

    async def right(self, event: ProbeEvent) -> Reply:
        """Send an event with the right signature.

        Raises:
            Unanswered: there is no answer, or one that is not about the request.
        """
        signed = self.next_event(event)
        right = signed.received.expected
        return await self._exchange(event, signed, signed.signed(right), right)

    async def wrong(self, event: ProbeEvent) -> Reply:
        """Send an event with a signature that no mistake gives; raises what ``right`` raises."""
        signed = self.next_event(event)
        wrong = sha256(signed.received.expected.encode()).hexdigest()
        return await self._exchange(event, signed, signed.signed(wrong), wrong)

    async def of(self, suspect: Suspect, event: ProbeEvent) -> Reply | None:
        """Send an event as a mistake would sign it; raises what ``right`` raises.

        Returns:
            None where the mistake computes nothing from this event, so that nothing was sent.
        """
        signed = self.next_event(event)
        signature = suspect.signature(signed.received)
        if signature is None:
            return None
        sign = signed.signed_elsewhere if suspect.is_in_header else signed.signed
        return await self._exchange(event, signed, sign(signature), signature)

    async def _exchange(
        self, event: ProbeEvent, signed: SignedEvent, sealed: SealedRequest, signature: str
    ) -> Reply:
        if stopwatch() > self._ends_at:
            raise Unanswered(f"The probe ended after {MAX_SECONDS:.0f} seconds.")
        self.requests += 1
        evidence = await self.send(sealed, event=event.name, triggered_at=self.now)
        reply = Reply(signed, signature, evidence)
        _require_answer(reply)
        if reply.accepted:
            self.accepted.append(
                AcceptedEvent(
                    event=event.name, document_id=signed.document_id, triggered_at=self.now
                )
            )
        return reply


def _require_answer(reply: Reply) -> None:
    evidence = reply.evidence
    if evidence.outcome in {Outcome.UNREACHABLE, Outcome.UNKNOWN}:
        raise Unanswered(f"The receiver did not answer: {evidence.error}.")
    if reply.status in _BUSY:
        raise Unanswered(f"The receiver answered {reply.status}.")
