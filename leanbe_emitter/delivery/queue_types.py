"""Values between the queue and the sender: claimed deliveries, evidence and settlements.

These are named tuples and not frozen dataclasses, as elsewhere: every attempt makes a few of them,
and a tuple costs a third.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from leanbe_emitter.storage.schema.states import DeliveryState, Outcome
from leanbe_emitter.wire.faults.catalogue import FaultSpec

Headers = tuple[tuple[str, str], ...]

_NONE: Mapping[str, str] = MappingProxyType({})


class WebhookSettings(NamedTuple):
    """A product's webhook at the time of the attempt; its ``repr`` hides the secret."""

    url: str | None
    secret: str | None
    ca_file: str | None
    insecure: bool
    #: The product's own assumptions; those about delivery apply to the attempt.
    assumptions: Mapping[str, str]
    #: Whether a fault may apply to its deliveries.
    has_faults: bool = False

    def __repr__(self) -> str:
        return "WebhookSettings()"


class Claimed(NamedTuple):
    """A delivery that we hold until its lease ends, with all that an attempt needs.

    Attributes:
        token: the lease token; a settlement with another token changes nothing.
        number: the number of the next attempt, from 1.
        attempts_counted: earlier attempts that count against the retry schedule.
        due_at: when it fell due, in milliseconds since 1970.
        triggered_at: the event's instant in milliseconds since 1970.
        leases_lost: leases lost in a row before; a delivery with any is a suspect, claimed alone.
        fault: the fault that the attempt commits on purpose.
    """

    delivery_id: str
    product_id: str
    sequence: int
    token: str
    number: int
    attempts_counted: int
    due_at: int
    event_id: str
    event_name: str
    triggered_at: int
    method: str
    headers: Headers
    body: str
    event_assumptions: Mapping[str, str]
    request_assumptions: Mapping[str, str]
    webhook: WebhookSettings
    leases_lost: int = 0
    fault: FaultSpec | None = None

    def settlement(
        self, *, state: DeliveryState, due_at: int, evidence: "Evidence", counts: bool = True
    ) -> "Settlement":
        """Return the settlement of an attempt made under this lease."""
        return Settlement(
            delivery_id=self.delivery_id,
            event_id=self.event_id,
            token=self.token,
            number=self.number,
            state=state,
            due_at=due_at,
            evidence=evidence,
            counts=counts,
        )

    def __repr__(self) -> str:
        return (
            f"Claimed(delivery_id={self.delivery_id!r}, number={self.number}, "
            f"token={self.token!r}, leases_lost={self.leases_lost})"
        )


class Evidence(NamedTuple):
    """Record of one attempt; the names are the table's columns."""

    outcome: Outcome
    started_at: int
    duration_us: int
    url: str
    request_headers: Headers = ()
    #: None where the event's stored body was sent.
    request_body: str | None = None
    answer_status: int | None = None
    answer_headers: Headers | None = None
    answer_body: bytes | None = None
    answer_length: int = 0
    error: str | None = None
    fault: str | None = None
    assumptions: Mapping[str, str] = _NONE

    def __repr__(self) -> str:
        return (
            f"Evidence(outcome={self.outcome.value!r}, answer_status={self.answer_status}, "
            f"error={self.error!r})"
        )


class Settlement(NamedTuple):
    """Next state of a claimed delivery, and the evidence of its attempt.

    Attributes:
        due_at: when it is due again, in milliseconds since 1970.
        counts: whether the attempt counts against the retry schedule; a vanished one does not.
        leases_lost: leases lost in a row.
    """

    delivery_id: str
    event_id: str
    token: str
    number: int
    state: DeliveryState
    due_at: int
    evidence: Evidence
    counts: bool = True
    leases_lost: int = 0
