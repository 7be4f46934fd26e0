"""The enums of the tables: states, outcomes, and kinds of journal entries."""

from enum import StrEnum


class DeliveryStatus(StrEnum):
    """The status of a delivery, as users see it."""

    #: Not settled: due, waiting for its time, or in flight.
    PENDING = "pending"
    #: The receiver accepted an attempt.
    DELIVERED = "delivered"
    #: The retry schedule ran out.
    EXHAUSTED = "exhausted"
    #: Somebody cleared the webhook, or discarded the delivery.
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """The outcome of an attempt."""

    #: The receiver accepted the request.
    DELIVERED = "delivered"
    #: The receiver gave any other answer.
    REFUSED = "refused"
    #: No byte of the request went out.
    UNREACHABLE = "unreachable"
    #: Bytes went out, and no complete answer came back.
    UNKNOWN = "unknown"


class DeliveryState(StrEnum):
    """The state of a delivery in the queue.

    A claim reads no clock: ``new``, ``ready`` and ``suspect`` are due.
    """

    #: Due, never tried.
    NEW = "new"
    #: Tried and due again.
    READY = "ready"
    #: Due again after a lost lease. It may be what kills workers, so it is claimed alone.
    SUSPECT = "suspect"
    #: Tried, and due again later.
    WAITING = "waiting"
    #: Claimed: a worker holds its lease.
    IN_FLIGHT = "in_flight"
    #: The three ends, as in ``DeliveryStatus``.
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"
    CANCELLED = "cancelled"

    @property
    def status(self) -> DeliveryStatus:
        """The status that users see."""
        return _STATUSES.get(self, DeliveryStatus.PENDING)

    @property
    def is_end(self) -> bool:
        """Whether the delivery is settled."""
        return self in _STATUSES


_STATUSES = {
    DeliveryState.DELIVERED: DeliveryStatus.DELIVERED,
    DeliveryState.EXHAUSTED: DeliveryStatus.EXHAUSTED,
    DeliveryState.CANCELLED: DeliveryStatus.CANCELLED,
}

#: Due and not leased: can be claimed.
DUE = frozenset({DeliveryState.NEW, DeliveryState.READY, DeliveryState.SUSPECT})
#: Not settled and not leased: can be cancelled.
UNHELD = (DeliveryState.NEW, DeliveryState.READY, DeliveryState.SUSPECT, DeliveryState.WAITING)


class JournalKind(StrEnum):
    """The kind of a journal entry."""

    #: An event was recorded.
    EVENT = "event"
    #: An attempt was made. If it settled its delivery, the entry has the status.
    ATTEMPT = "attempt"
    #: A delivery was settled without an attempt.
    SETTLED = "settled"


class RequestStatus(StrEnum):
    """The status of an idea request (contract c.2)."""

    #: Nobody has decided yet.
    NEW = "new"
    #: It belongs to an idea.
    ATTACHED = "attached"
    #: It was ignored for good.
    IGNORED = "ignored"


class VoteDirection(StrEnum):
    """The direction of a vote (contract c.2)."""

    UP = "up"
    DOWN = "down"


class AnnouncementStatus(StrEnum):
    """The status of an announcement (contract c.2)."""

    DRAFT = "draft"
    PUBLISHED = "published"
