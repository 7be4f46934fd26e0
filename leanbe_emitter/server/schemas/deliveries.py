"""JSON Schema of what is answered of events and deliveries: what happened, and what came of it."""

from datetime import UTC, datetime
from typing import Any, Final

from leanbe_emitter.delivery.network.curl import curl
from leanbe_emitter.headers import MASK
from leanbe_emitter.server.schemas.json_schema import (
    choice,
    cursor,
    identifier,
    instant,
    list_of,
    number,
    object_of,
    or_null,
    text,
    whole,
)
from leanbe_emitter.server.schemas.setup import ASSUMED, AT, LATER, PRODUCT_ID, URL
from leanbe_emitter.storage.schema.states import DeliveryStatus, Outcome
from leanbe_emitter.wire.assumptions.assumption_set import Method
from leanbe_emitter.wire.envelope import seal
from leanbe_emitter.wire.event_names import EVENT_NAMES, EVENTS, Source
from leanbe_emitter.wire.explain.explainer import Explanation, Verdict, explain
from leanbe_emitter.wire.explain.mistakes import MISTAKES
from leanbe_emitter.wire.signing import sign_text

_EVENT_ID: Final = "649d2ac99c3a1954e6a2e42a"
_DELIVERY_ID: Final = "649d2ac99c3a1954e6a2e42b"

EVENT: Final = object_of(
    {
        "_id": identifier(_EVENT_ID, "The event's id."),
        "event": choice(EVENT_NAMES, "What happened."),
        "product": identifier(PRODUCT_ID, "Where."),
        "sequence": whole(7, "Its place among its product's events; the first is 1.", minimum=1),
        "triggeredAt": instant(
            AT,
            "When. No two events of a product share one: in a burst, and while a clock stands "
            "still, each is a millisecond later than the one before, and ahead of the clock.",
        ),
        "payload": {
            "description": "The payload, as it was signed.",
            "examples": [{"_id": "649d2ac49c3a1954e6a2e421", "email": "ana@example.com"}],
        },
    }
)
_HEADER: Final = {
    "type": "array",
    "description": "Name and value of a header.",
    "items": {"type": "string"},
    "examples": [["Content-Type", "application/json"]],
}
_SENT_HEADER: Final = {
    **_HEADER,
    "description": "Name and value of a header; a value that the product set is masked.",
    "examples": [["Content-Type", "application/json"], ["Authorization", MASK]],
}
ATTEMPT: Final = object_of(
    {
        "number": whole(1, "Its place among its delivery's attempts; the first is 1.", minimum=1),
        "outcome": choice(Outcome, "What it came to."),
        "startedAt": instant(
            AT, "When it began, by the clock, which the event's `triggeredAt` may be ahead of."
        ),
        "durationMs": number(17.6, "How long it took, in milliseconds."),
        "url": text(URL, "Where the request went."),
        "request": object_of(
            {
                "headers": list_of(_SENT_HEADER),
                "body": text('{"payload":{},"event":"idea.created"}', "The very body."),
            }
        ),
        "answer": or_null(
            object_of(
                {
                    "status": whole(204, "The status of the answer."),
                    "headers": list_of(_HEADER),
                    "body": text("ok", "What was kept of its body."),
                    "length": whole(2, "How many bytes it had."),
                }
            )
        ),
        "error": or_null(text("timed out after 10 s", "Why there is no answer.")),
        "fault": or_null(text("receiver_fails:timeout", "What was done wrong on purpose.")),
        "assumptions": ASSUMED,
    }
)
STATUS: Final[dict[str, Any]] = choice(DeliveryStatus, "What has become of a delivery.")
DELIVERY: Final = object_of(
    {
        "_id": identifier(_DELIVERY_ID, "The delivery's id."),
        "status": STATUS,
        "nextDueAt": or_null(instant(LATER, "When it is tried next, if it is.")),
        "url": or_null(text(URL, "Where it goes, at present.")),
        "event": EVENT,
        "attempts": list_of(ATTEMPT),
    }
)
#: Deliveries that came, and where to go on waiting.
CAUGHT: Final = object_of(
    {"items": list_of(DELIVERY), "cursor": cursor("From before they were looked for.")}
)
#: A request that would be made.
REQUEST: Final = object_of(
    {
        "event": choice(EVENT_NAMES, "What it would tell of."),
        "method": choice(Method, "How it would be sent."),
        "url": or_null(text(URL, "Where it would go; null: nothing would be owed.")),
        "headers": list_of(_SENT_HEADER),
        "body": text('{"payload":{},"event":"idea.created"}', "The very body."),
    }
)
TRIGGERED: Final = object_of({"event": EVENT, "delivery": or_null(DELIVERY)})
#: An attempt, with the ids of what it was made for.
MADE: Final = object_of(
    {
        "delivery": identifier(_DELIVERY_ID, "What it is an attempt of."),
        "event": choice(EVENT_NAMES, "What is delivered."),
        **ATTEMPT["properties"],
    }
)
ADVANCED: Final = object_of(
    {"now": instant(LATER, "What time it is now."), "attempts": list_of(MADE)}
)
REDELIVERED: Final = object_of(
    {
        "job": text("again", "Under which name it goes on."),
        "made": whole(2, "How many new deliveries there are."),
        "withoutUrl": whole(0, "How many events nobody is owed: their product has no URL."),
    }
)
CURL: Final = object_of(
    {
        "command": text(
            curl(method="POST", url=URL, headers=(), body="{}"),
            "For a shell: it sends the very body. What the product set in headers is masked.",
        )
    }
)


def _explained() -> Explanation:
    """Return what is said of a receiver that hashes the raw body."""
    secret, at = "whsec_test", datetime(2026, 1, 1, tzinfo=UTC)
    body = seal("{}", event=EVENT_NAMES[0], triggered_at=at, secret=secret).body
    return explain(body.encode(), secret, got=sign_text(body, secret))


_EXPLAINED: Final = _explained()
_MISTAKE: Final = object_of(
    {
        "name": text(MISTAKES[0].name, "The mistake, for programs."),
        "what": text(MISTAKES[0].what, "What is done, and what is right."),
        "signatures": list_of(text("0" * 64, "What whoever makes it computes from this body.")),
        "javascript": text(MISTAKES[0].fix_javascript, "The line that mends it."),
        "python": text(MISTAKES[0].fix_python, "The same in Python."),
    }
)
EXPLANATION: Final = {
    "examples": [_EXPLAINED.document()],
    **object_of(
        {
            "verdict": choice(Verdict, "What it comes to."),
            "summary": text(_EXPLAINED.summary, "The same in a sentence."),
            "hint": text(_EXPLAINED.hint, "What to do; empty where the mistakes say it."),
            "mistakes": {
                **list_of(_MISTAKE),
                "description": "What explains it; of a sound body, the usual ones.",
            },
        }
    ),
}
EVENT_KIND: Final = object_of(
    {
        "name": choice(EVENT_NAMES, "Its name."),
        "group": text(EVENTS[0].group, "What it belongs to."),
        "meaning": text(EVENTS[0].meaning, "When it is raised."),
        "triggerSource": choice(Source, "Whether the article says when it is raised."),
        "payloadSource": choice(Source, "Whether the article shows its payload."),
    }
)
#: The schema of an event says all of it itself.
SCHEMA: Final = {
    "type": "object",
    "description": "A JSON Schema.",
    "examples": [{"title": "idea.created", "type": "object"}],
}
