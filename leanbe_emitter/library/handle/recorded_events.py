"""What a block of actions raised: its events, and how their deliveries went."""

from collections.abc import Sequence
from dataclasses import dataclass

from leanbe_emitter.library.deliveries.delivery import Delivery
from leanbe_emitter.outbox import Recorded


@dataclass(kw_only=True)
class RecordedEvents:
    """What ``leanbe.foreground`` gives; empty until its block has ended.

    Attributes:
        recorded: the events, in their order: ``name``, ``event_id``, ``product_id``, and
            ``delivery_id``, which is None where nothing is owed.
        deliveries: what is owed for them, after the first attempts.
    """

    recorded: Sequence[Recorded] = ()
    deliveries: Sequence[Delivery] = ()
