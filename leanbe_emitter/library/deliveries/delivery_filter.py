"""Filters of deliveries."""

from dataclasses import dataclass
from datetime import datetime

from leanbe_emitter.clock import check_instant
from leanbe_emitter.library.setup.product import ProductRef
from leanbe_emitter.storage.schema.states import DeliveryStatus, Outcome


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A filter of deliveries. An attribute that is None selects every delivery.

    Attributes:
        status: the status of the deliveries.
        is_settled: whether the deliveries are settled, with whatever status.
        event: an event name, or a glob of names (``idea.*``).
        product: the product of the deliveries.
        since: the deliveries were created at this instant or later.
        before: the deliveries were created before this instant.
        q: a text in the request's body, or six digits or more of an end of the id of the delivery
            or the event; letter case does not matter. It is looked for in the newest 10 000
            deliveries.
        about: the ``_id`` of a document: the payload is that document. It is looked for in the
            newest 10 000 deliveries.
        outcome: the outcome of the last attempt.
        answer: the status of the last answer: ``503``, or ``4xx``.
        fault: a kind of fault of the last attempt, with its variant or without; ``any``: any fault.
        job: the name of the job that made the deliveries.
    """

    status: DeliveryStatus | str | None = None
    is_settled: bool | None = None
    event: str | None = None
    product: ProductRef | None = None
    since: datetime | None = None
    before: datetime | None = None
    q: str | None = None
    about: str | None = None
    outcome: Outcome | str | None = None
    answer: str | None = None
    fault: str | None = None
    job: str | None = None

    def __post_init__(self) -> None:
        for name, instant in (("since", self.since), ("before", self.before)):
            if instant is not None:
                check_instant(instant, what=name)
