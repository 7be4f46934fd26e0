"""The library: ``Leanbe``, what it returns, and ``send`` without a database.

The names below are loaded when they are first used: who needs one of them does not pay for all.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leanbe_emitter.delivery.watching import Attempt, StartedAttempt, Watcher
    from leanbe_emitter.delivery.worker.metrics import Histogram, Metrics
    from leanbe_emitter.library.deliveries.delivery import Delivery, Event, RecordedEvents
    from leanbe_emitter.library.deliveries.delivery_filter import Filter
    from leanbe_emitter.library.deliveries.journal import Entry
    from leanbe_emitter.library.deliveries.probing import Probed
    from leanbe_emitter.library.deliveries.redelivery import Job, Redelivered
    from leanbe_emitter.library.documents.announcements import Announcement
    from leanbe_emitter.library.documents.backlog_items import BacklogItem
    from leanbe_emitter.library.documents.customers import Customer
    from leanbe_emitter.library.documents.idea_requests import IdeaRequest
    from leanbe_emitter.library.documents.ideas import Idea
    from leanbe_emitter.library.documents.okrs import KeyResult, Okr
    from leanbe_emitter.library.documents.users import User
    from leanbe_emitter.library.handle.information import Info
    from leanbe_emitter.library.handle.leanbe import Leanbe
    from leanbe_emitter.library.runtime.awaitables import Nothing, Results
    from leanbe_emitter.library.runtime.paging import Page
    from leanbe_emitter.library.setup.faults import Fault
    from leanbe_emitter.library.setup.product import Product, Webhook
    from leanbe_emitter.library.trigger.one_shot import OneShotSender, WebhookTarget
    from leanbe_emitter.library.trigger.synthetic_events import Changes, TriggerRequest
    from leanbe_emitter.library.trigger.triggers import DryRun, Triggered

__all__ = [
    "Announcement",
    "Attempt",
    "BacklogItem",
    "Changes",
    "Customer",
    "Delivery",
    "DryRun",
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
    "OneShotSender",
    "Page",
    "Probed",
    "Product",
    "RecordedEvents",
    "Redelivered",
    "Results",
    "StartedAttempt",
    "TriggerRequest",
    "Triggered",
    "User",
    "Watcher",
    "Webhook",
    "WebhookTarget",
]

#: Where they are, by module.
_NAMES = {
    "delivery.watching": ("Attempt", "StartedAttempt", "Watcher"),
    "delivery.worker.metrics": ("Histogram", "Metrics"),
    "library.documents.announcements": ("Announcement",),
    "library.documents.backlog_items": ("BacklogItem",),
    "library.documents.customers": ("Customer",),
    "library.deliveries.delivery_filter": ("Filter",),
    "library.setup.faults": ("Fault",),
    "library.documents.idea_requests": ("IdeaRequest",),
    "library.documents.ideas": ("Idea",),
    "library.handle.information": ("Info",),
    "library.handle.leanbe": ("Leanbe",),
    "library.documents.okrs": ("KeyResult", "Okr"),
    "library.runtime.paging": ("Page",),
    "library.deliveries.probing": ("Probed",),
    "library.deliveries.redelivery": ("Job", "Redelivered"),
    "library.runtime.awaitables": ("Nothing", "Results"),
    "library.trigger.one_shot": ("OneShotSender", "WebhookTarget"),
    "library.deliveries.delivery": ("Delivery", "Event", "RecordedEvents"),
    "library.documents.users": ("User",),
    "library.setup.product": ("Product", "Webhook"),
    "library.trigger.synthetic_events": ("Changes", "TriggerRequest"),
    "library.trigger.triggers": ("DryRun", "Triggered"),
    "library.deliveries.journal": ("Entry",),
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"leanbe_emitter.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
