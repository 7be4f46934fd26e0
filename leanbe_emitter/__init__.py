"""The sending side of Leanbe's webhooks: signed, delivered, retried and explained.

The names below are loaded when they are first used, so that a receiver's
``from leanbe_emitter import verify`` costs a few milliseconds and loads no database library.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leanbe_emitter.clock import ManualClock
    from leanbe_emitter.delivery.in_process.detect import transport_for
    from leanbe_emitter.delivery.in_process.functions import ReceivedRequest
    from leanbe_emitter.errors import (
        Conflict,
        DatabaseBehind,
        DatabaseUnavailable,
        EndlessDeliveries,
        EventsNotDelivered,
        FaultNeedsWire,
        FaultNeverFired,
        InvalidSignature,
        InvalidTarget,
        InvalidValue,
        LeanbeError,
        NotAwaited,
        NotFound,
        OutOfDescriptors,
        PayloadTooDeep,
        PayloadTooLarge,
        ReceiverUnavailable,
        WaitTimedOut,
    )
    from leanbe_emitter.library import (
        Announcement,
        Attempt,
        BacklogItem,
        Changes,
        Customer,
        Delivery,
        DryRun,
        Entry,
        Event,
        Fault,
        Filter,
        Histogram,
        Idea,
        IdeaRequest,
        Info,
        Job,
        KeyResult,
        Leanbe,
        Metrics,
        Nothing,
        Okr,
        OneShotSender,
        Page,
        Probed,
        Product,
        RecordedEvents,
        Redelivered,
        Results,
        Triggered,
        TriggerRequest,
        User,
        Webhook,
        WebhookTarget,
    )
    from leanbe_emitter.settings import Settings
    from leanbe_emitter.storage.schema.states import DeliveryStatus, Outcome
    from leanbe_emitter.wire.envelope import Envelope, verify
    from leanbe_emitter.wire.event_names import EventKind
    from leanbe_emitter.wire.explain.explainer import Explanation, explain
    from leanbe_emitter.wire.signing import sign, sign_text
    from leanbe_emitter.wire.stringify import stringify

__version__ = "0.1.0"

__all__ = [
    "Announcement",
    "Attempt",
    "BacklogItem",
    "Changes",
    "Conflict",
    "Customer",
    "DatabaseBehind",
    "DatabaseUnavailable",
    "Delivery",
    "DeliveryStatus",
    "DryRun",
    "EndlessDeliveries",
    "Entry",
    "Envelope",
    "Event",
    "EventKind",
    "EventsNotDelivered",
    "Explanation",
    "Fault",
    "FaultNeedsWire",
    "FaultNeverFired",
    "Filter",
    "Histogram",
    "Idea",
    "IdeaRequest",
    "Info",
    "InvalidSignature",
    "InvalidTarget",
    "InvalidValue",
    "Job",
    "KeyResult",
    "Leanbe",
    "LeanbeError",
    "ManualClock",
    "Metrics",
    "NotAwaited",
    "NotFound",
    "Nothing",
    "Okr",
    "OneShotSender",
    "OutOfDescriptors",
    "Outcome",
    "Page",
    "PayloadTooDeep",
    "PayloadTooLarge",
    "Probed",
    "Product",
    "ReceivedRequest",
    "ReceiverUnavailable",
    "RecordedEvents",
    "Redelivered",
    "Results",
    "Settings",
    "TriggerRequest",
    "Triggered",
    "User",
    "WaitTimedOut",
    "Webhook",
    "WebhookTarget",
    "explain",
    "sign",
    "sign_text",
    "stringify",
    "transport_for",
    "verify",
]

# All others are errors, or the library's own.
_HOMES = {
    "DeliveryStatus": "storage.schema.states",
    "Envelope": "wire.envelope",
    "EventKind": "wire.event_names",
    "Explanation": "wire.explain.explainer",
    "ManualClock": "clock",
    "Outcome": "storage.schema.states",
    "ReceivedRequest": "delivery.in_process.functions",
    "Settings": "settings",
    "explain": "wire.explain.explainer",
    "sign": "wire.signing",
    "sign_text": "wire.signing",
    "stringify": "wire.stringify",
    "transport_for": "delivery.in_process.detect",
    "verify": "wire.envelope",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    errors = import_module("leanbe_emitter.errors")
    home = "errors" if hasattr(errors, name) else _HOMES.get(name, "library")
    return getattr(import_module(f"leanbe_emitter.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
