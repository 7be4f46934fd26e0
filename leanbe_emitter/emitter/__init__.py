"""The library: ``Leanbe``, what it returns, and ``send`` without a database."""

from leanbe_emitter.emitter.deliveries import Filter
from leanbe_emitter.emitter.leanbe import Leanbe
from leanbe_emitter.emitter.redelivering import Job, Redelivered
from leanbe_emitter.emitter.sending import Courier, Receiver
from leanbe_emitter.emitter.snapshots import Attempt, Delivery, Event, Product, User, Webhook
from leanbe_emitter.emitter.synthetic import Changes, Wanted
from leanbe_emitter.emitter.triggering import Rehearsed, Triggered
from leanbe_emitter.emitter.watching import Entry

__all__ = [
    "Attempt",
    "Changes",
    "Courier",
    "Delivery",
    "Entry",
    "Event",
    "Filter",
    "Job",
    "Leanbe",
    "Product",
    "Receiver",
    "Redelivered",
    "Rehearsed",
    "Triggered",
    "User",
    "Wanted",
    "Webhook",
]
