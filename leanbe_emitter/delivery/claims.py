"""What passes between the queue and the sender: what was claimed, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from leanbe_emitter.storage.states import DeliveryState, Outcome

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True, repr=False)
class WebhookSettings:
    """A product's webhook as it is when the attempt is made; never shown: it holds the secret."""

    url: str | None
    secret: str | None
    ca_file: str | None
    insecure: bool
    #: The product's own assumptions: what steers the delivery is read from them.
    assumptions: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A delivery that is ours until its lease ends, with all that an attempt needs.

    Attributes:
        token: the lease token; a settlement that names another changes nothing.
        number: the number of the attempt that is to be made, from 1.
        attempts_counted: earlier attempts that count against the retry schedule.
        leases_lost: how many leases were lost in a row before: a suspect is claimed alone.
        due_at: since when it was due, in milliseconds since 1970.
        triggered_at: the event's instant in milliseconds since 1970.
    """

    delivery_id: str
    product_id: str
    sequence: int
    token: str
    number: int
    attempts_counted: int
    leases_lost: int = 0
    due_at: int
    event_id: str
    event_name: str
    triggered_at: int
    method: str
    headers: Headers = field(repr=False)
    body: str = field(repr=False)
    deviations: Mapping[str, str]
    overrides: Mapping[str, str]
    webhook: WebhookSettings


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One attempt, as it is kept: the names are those of the table's columns."""

    outcome: Outcome
    started_at: int
    duration_us: int
    url: str
    request_headers: Headers = field(default=(), repr=False)
    #: None where it was the event's own body.
    request_body: str | None = field(default=None, repr=False)
    answer_status: int | None = None
    answer_headers: Headers | None = field(default=None, repr=False)
    answer_body: bytes | None = field(default=None, repr=False)
    answer_length: int = 0
    error: str | None = None
    fault: str | None = None
    deviations: Mapping[str, str] | None = None

    def columns(self) -> dict[str, Any]:
        """Return the row's columns but its key."""
        return {**vars(self), "deviations": dict(self.deviations or {})}


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What becomes of a claimed delivery.

    Attributes:
        due_at: when it is due again, in milliseconds since 1970.
        counts: whether the attempt counts against the retry schedule; one that vanished does not.
        leases_lost: how many leases were lost in a row.
    """

    delivery_id: str
    product_id: str
    event_id: str
    token: str
    number: int
    state: DeliveryState
    due_at: int
    evidence: Evidence
    counts: bool = True
    leases_lost: int = 0
