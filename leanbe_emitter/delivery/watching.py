"""Attempts as users see them, and the watchers that are told about them while they are made.

The same ``Attempt`` describes an attempt that ended just now and one that the database stores. The
tuples of ``queue_types`` stay between the queue and the sender.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leanbe_emitter.clock import from_milliseconds
from leanbe_emitter.delivery.header_masking import masked, unechoed, unechoed_headers
from leanbe_emitter.delivery.queue_types import Claimed, Headers, Settlement
from leanbe_emitter.storage.schema.states import DeliveryState, DeliveryStatus, Outcome
from leanbe_emitter.wire.instants import print_instant


@dataclass(frozen=True, kw_only=True)
class StartedAttempt:
    """One HTTP request of a delivery, as it goes out.

    Attributes:
        delivery_id: the delivery; empty for a request without a database (``OneShotSender``).
        event: the event name; empty for a body that is sent unchanged.
        product_id: the product of the event; empty without a database.
        number: the attempt's number within the delivery, from 1.
        started_at: the instant by the clock; the event's ``triggered_at`` may be later.
    """

    delivery_id: str
    event: str
    product_id: str
    number: int
    started_at: datetime
    method: str
    url: str
    request_body: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Attempt(StartedAttempt):
    """One HTTP request of a delivery, and its outcome.

    Attributes:
        duration_ms: milliseconds from the first step of sending to the end of the answer.
        answer_body: the first bytes of the answer, up to a limit; ``answer_length`` counts all.
        error: what went wrong, in words; None if nothing did.
        fault: the deliberate misbehaviour of this attempt; None if there was none.
        assumptions: the assumptions whose value was not the default.
        status: the status of the delivery after the attempt.
        next_due_at: when the next attempt is due; None if none is, or if it has begun.
    """

    outcome: Outcome
    duration_ms: float
    request_headers: Headers = field(repr=False)
    answer_status: int | None
    answer_headers: Headers | None = field(repr=False)
    answer_body: bytes | None = field(repr=False)
    answer_length: int
    error: str | None
    fault: str | None
    assumptions: Mapping[str, str] = field(hash=False)
    status: DeliveryStatus
    next_due_at: datetime | None

    @property
    def accepted(self) -> bool:
        """Whether the receiver accepted the event."""
        return self.outcome is Outcome.DELIVERED

    @property
    def shown_answer(self) -> bytes | None:
        """The answer's body with the values of headers that the product set masked."""
        return unechoed(self.answer_body, self.request_headers, assumptions=self.assumptions)

    def document(self) -> dict[str, Any]:
        """Return the attempt as JSON; bodies are text, and bytes that are no UTF-8 are replaced.

        The values of headers that the product set are masked, in the answer, too. The attribute
        ``request_headers`` has the values.
        """
        answer = None
        if self.answer_status is not None:
            answer = {
                "status": self.answer_status,
                "headers": unechoed_headers(
                    self.answer_headers or (), self.request_headers, assumptions=self.assumptions
                ),
                "body": (self.shown_answer or b"").decode(errors="replace"),
                "length": self.answer_length,
            }
        return {
            "number": self.number,
            "outcome": self.outcome.value,
            "startedAt": print_instant(self.started_at),
            "durationMs": round(self.duration_ms, 3),
            "url": self.url,
            "request": {
                "headers": masked(self.request_headers, assumptions=self.assumptions),
                "body": self.request_body.decode(errors="replace"),
            },
            "answer": answer,
            "error": self.error,
            "fault": self.fault,
            "assumptions": dict(self.assumptions),
        }


class Watcher:
    """Observer of attempts; a subclass overrides the methods that it needs."""

    def started(self, attempt: StartedAttempt) -> None:
        """Note that an attempt begins."""

    def ended(self, attempt: Attempt) -> None:
        """Note that an attempt has ended and is settled."""

    def turn_ended(self) -> None:
        """Do work that is done once for many attempts; a worker calls this after each turn."""


def attempt_begun(claimed: Claimed, *, at: datetime) -> StartedAttempt:
    """Return the attempt that begins now."""
    return StartedAttempt(
        delivery_id=claimed.delivery_id,
        event=claimed.event_name,
        product_id=claimed.product_id,
        number=claimed.number,
        started_at=at,
        method=claimed.method,
        url=claimed.webhook.url or "",
        request_body=claimed.body.encode(errors="surrogateescape"),
    )


def attempt_made(claimed: Claimed, settlement: Settlement) -> Attempt:
    """Return the attempt that was just settled."""
    evidence, state = settlement.evidence, settlement.state
    is_due_again = state in {DeliveryState.WAITING, DeliveryState.READY}
    body = claimed.body if evidence.request_body is None else evidence.request_body
    return Attempt(
        delivery_id=claimed.delivery_id,
        event=claimed.event_name,
        product_id=claimed.product_id,
        number=claimed.number,
        started_at=from_milliseconds(evidence.started_at),
        method=claimed.method,
        url=evidence.url,
        request_body=body.encode(errors="surrogateescape"),
        outcome=evidence.outcome,
        duration_ms=evidence.duration_us / 1000,
        request_headers=evidence.request_headers,
        answer_status=evidence.answer_status,
        answer_headers=evidence.answer_headers,
        answer_body=evidence.answer_body,
        answer_length=evidence.answer_length,
        error=evidence.error,
        fault=evidence.fault,
        assumptions=evidence.assumptions,
        status=state.status,
        next_due_at=from_milliseconds(settlement.due_at) if is_due_again else None,
    )
