"""The library: ``Leanbe``, what it returns, and ``send`` without a database.

The names below are loaded when they are first used: who needs one of them does not pay for all.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leanbe_emitter.delivery.worker.metrics import Histogram, Metrics
    from leanbe_emitter.emitter.announcements import Announcement
    from leanbe_emitter.emitter.backlog_items import BacklogItem
    from leanbe_emitter.emitter.customers import Customer
    from leanbe_emitter.emitter.deliveries import Filter
    from leanbe_emitter.emitter.faults import Fault
    from leanbe_emitter.emitter.idea_requests import IdeaRequest
    from leanbe_emitter.emitter.ideas import Idea
    from leanbe_emitter.emitter.information import Info
    from leanbe_emitter.emitter.leanbe import Leanbe
    from leanbe_emitter.emitter.okrs import KeyResult, Okr
    from leanbe_emitter.emitter.paging import Page
    from leanbe_emitter.emitter.raised import Raised
    from leanbe_emitter.emitter.redelivering import Job, Redelivered
    from leanbe_emitter.emitter.results import Nothing, Results
    from leanbe_emitter.emitter.sending import Courier, Receiver
    from leanbe_emitter.emitter.snapshots import Attempt, Delivery, Event, Product, User, Webhook
    from leanbe_emitter.emitter.synthetic import Changes, Wanted
    from leanbe_emitter.emitter.triggering import Rehearsed, Triggered
    from leanbe_emitter.emitter.watching import Entry

__all__ = [
    "Announcement",
    "Attempt",
    "BacklogItem",
    "Changes",
    "Courier",
    "Customer",
    "Delivery",
    "Entry",
    "Event",
    "Fault",
    "Filter",
    "Histogram",
    "Idea",
    "IdeaRequest",
    "Info",
    "Job",
    "KeyResult",
    "Leanbe",
    "Metrics",
    "Nothing",
    "Okr",
    "Page",
    "Product",
    "Raised",
    "Receiver",
    "Redelivered",
    "Rehearsed",
    "Results",
    "Triggered",
    "User",
    "Wanted",
    "Webhook",
]

#: Where they are, by module.
_NAMES = {
    "delivery.worker.metrics": ("Histogram", "Metrics"),
    "emitter.announcements": ("Announcement",),
    "emitter.backlog_items": ("BacklogItem",),
    "emitter.customers": ("Customer",),
    "emitter.deliveries": ("Filter",),
    "emitter.faults": ("Fault",),
    "emitter.idea_requests": ("IdeaRequest",),
    "emitter.ideas": ("Idea",),
    "emitter.information": ("Info",),
    "emitter.leanbe": ("Leanbe",),
    "emitter.okrs": ("KeyResult", "Okr"),
    "emitter.paging": ("Page",),
    "emitter.raised": ("Raised",),
    "emitter.redelivering": ("Job", "Redelivered"),
    "emitter.results": ("Nothing", "Results"),
    "emitter.sending": ("Courier", "Receiver"),
    "emitter.snapshots": ("Attempt", "Delivery", "Event", "Product", "User", "Webhook"),
    "emitter.synthetic": ("Changes", "Wanted"),
    "emitter.triggering": ("Rehearsed", "Triggered"),
    "emitter.watching": ("Entry",),
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"leanbe_emitter.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
