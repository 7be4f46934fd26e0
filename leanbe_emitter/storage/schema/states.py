"""The words that rows hold: what a delivery is, and what an attempt came to."""

from enum import StrEnum


class DeliveryStatus(StrEnum):
    """What has become of a delivery, as users see it."""

    #: Still owed: due, waiting for its time, or in flight.
    PENDING = "pending"
    #: An attempt was accepted.
    DELIVERED = "delivered"
    #: The retry schedule ran out.
    EXHAUSTED = "exhausted"
    #: The webhook was cleared, or somebody discarded it.
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """What an attempt came to."""

    #: The receiver accepted it.
    DELIVERED = "delivered"
    #: The receiver gave any other answer.
    REFUSED = "refused"
    #: No byte of the request went out.
    UNREACHABLE = "unreachable"
    #: Bytes went out, and no complete answer came back.
    UNKNOWN = "unknown"


class DeliveryState(StrEnum):
    """What the queue knows of a delivery.

    A claim reads no clock: ``new``, ``ready`` and ``suspect`` are due.
    """

    #: Due, never tried.
    NEW = "new"
    #: Tried and due again.
    READY = "ready"
    #: Due again because its lease was lost: perhaps what kills workers, so it is claimed alone.
    SUSPECT = "suspect"
    #: Tried, and due again later.
    WAITING = "waiting"
    #: Claimed: somebody holds its lease.
    IN_FLIGHT = "in_flight"
    #: The three ends, as in ``DeliveryStatus``.
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"
    CANCELLED = "cancelled"

    @property
    def status(self) -> DeliveryStatus:
        """What users see of it."""
        return _STATUSES.get(self, DeliveryStatus.PENDING)

    @property
    def is_end(self) -> bool:
        """Whether nothing is owed any more."""
        return self in _STATUSES


_STATUSES = {
    DeliveryState.DELIVERED: DeliveryStatus.DELIVERED,
    DeliveryState.EXHAUSTED: DeliveryStatus.EXHAUSTED,
    DeliveryState.CANCELLED: DeliveryStatus.CANCELLED,
}

#: Due, and held by nobody: what can be claimed.
DUE = frozenset({DeliveryState.NEW, DeliveryState.READY, DeliveryState.SUSPECT})
#: Still owed, and held by nobody: what can be cancelled.
UNHELD = (DeliveryState.NEW, DeliveryState.READY, DeliveryState.SUSPECT, DeliveryState.WAITING)


class JournalKind(StrEnum):
    """What a journal entry tells."""

    #: An event was recorded.
    EVENT = "event"
    #: An attempt was made; where it settled its delivery, the entry says as what.
    ATTEMPT = "attempt"
    #: A delivery was settled without an attempt.
    SETTLED = "settled"


class RequestStatus(StrEnum):
    """What became of an idea request (contract c.2)."""

    #: Nobody has decided yet.
    NEW = "new"
    #: It belongs to an idea.
    ATTACHED = "attached"
    #: It was set aside for good.
    IGNORED = "ignored"


class VoteDirection(StrEnum):
    """Which way a vote goes (contract c.2)."""

    UP = "up"
    DOWN = "down"


class AnnouncementStatus(StrEnum):
    """Whether an announcement can be read (contract c.2)."""

    DRAFT = "draft"
    PUBLISHED = "published"
