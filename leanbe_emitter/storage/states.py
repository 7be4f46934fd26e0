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
