"""The library: ``Leanbe``, what it returns, and ``send`` without a database."""

from leanbe_emitter.delivery.metrics import Histogram, Metrics
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
