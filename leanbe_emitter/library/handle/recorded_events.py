"""The events that a ``leanbe.foreground`` block recorded, and their deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass

from leanbe_emitter.library.deliveries.delivery import Delivery
from leanbe_emitter.outbox import Recorded


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
