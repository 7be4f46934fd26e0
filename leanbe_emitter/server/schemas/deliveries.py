"""JSON Schema of events, deliveries and attempts, and of the responses that contain them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from leanbe_emitter.delivery.network.request_code import curl
from leanbe_emitter.header_rules import MASK
from leanbe_emitter.server.schemas.json_schema import (
    SINCE,
    boolean,
    cursor,
    enum,
    identifier,
    instant,
    integer,
    list_of,
    number,
    object_of,
    or_null,
    string,
)
from leanbe_emitter.server.schemas.setup import ASSUMPTION_VALUES, AT, LATER, PRODUCT_ID, URL, page
from leanbe_emitter.storage.schema.states import DeliveryStatus, Outcome
from leanbe_emitter.wire.assumptions.assumption_set import (
    Method,
    SignatureLocation,
    SignatureScheme,
    SignedContent,
)
from leanbe_emitter.wire.envelope import seal
from leanbe_emitter.wire.event_names import EVENT_NAMES, EVENTS, Source
from leanbe_emitter.wire.explain.explainer import Explanation, Verdict, explain
from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.signature_steps import SigningSecret
from leanbe_emitter.wire.signing import sign_text

_EVENT_ID: Final = "649d2ac99c3a1954e6a2e42a"
_DELIVERY_ID: Final = "649d2ac99c3a1954e6a2e42b"

EVENT: Final = object_of(
    {
        "_id": identifier(_EVENT_ID, "The event's id."),
        "event": enum(EVENT_NAMES, "Name of the event."),
        "product": identifier(PRODUCT_ID, "Id of the product."),
        "sequence": integer(7, "Number of the event within its product, from 1.", minimum=1),
        "triggeredAt": instant(
            AT,
            "Time of the event. All events of a product have distinct times: in a burst, and "
            "while a manual clock stands still, each is a millisecond after the one before, and "
            "so ahead of the clock.",
        ),
        "payload": {
            "description": "The payload that was signed.",
            "examples": [{"_id": "649d2ac49c3a1954e6a2e421", "email": "ana@example.com"}],
        },
    }
)
EVENT_WITH_DELIVERIES: Final = object_of(
    {
        **EVENT["properties"],
        "deliveries": list_of(identifier(_DELIVERY_ID, "Id of a delivery, the oldest first.")),
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
    "description": "Name and value of a header; values of the product's own headers are masked.",
    "examples": [["Content-Type", "application/json"], ["Authorization", MASK]],
}
ATTEMPT: Final = object_of(
    {
        "number": integer(1, "Number of the attempt within its delivery, from 1.", minimum=1),
        "outcome": enum(Outcome, "Outcome of the attempt."),
        "startedAt": instant(
            AT, "Start by the clock; the event's `triggeredAt` may be ahead of the clock."
        ),
        "durationMs": number(17.6, "Duration in milliseconds."),
        "url": string(URL, "URL of the request."),
        "request": object_of(
            {
                "headers": list_of(_SENT_HEADER),
                "body": string('{"payload":{},"event":"idea.created"}', "The exact body."),
            }
        ),
        "answer": or_null(
            object_of(
                {
                    "status": integer(204, "Status of the response."),
                    "headers": list_of(_HEADER),
                    "body": string("ok", "The stored part of the response's body."),
                    "length": integer(2, "Length of the response's body in bytes."),
                }
            )
        ),
        "error": or_null(string("timed out after 10 s", "Reason why there is no response.")),
        "fault": or_null(string("receiver_fails:timeout", "Fault that was injected.")),
        "assumptions": ASSUMPTION_VALUES,
    }
)
_PROVENANCE: Final = {
    "owedAt": instant(AT, "Time at which the delivery was recorded."),
    "redeliveryOf": or_null(
        identifier(_DELIVERY_ID, "Id of the event's first delivery, if this is a later one.")
    ),
    "job": or_null(string("again", "Name of the job that made the delivery; null: no job did.")),
}
STATUS: Final[dict[str, Any]] = enum(DeliveryStatus, "Status of the delivery.")
DELIVERY: Final = object_of(
    {
        "_id": identifier(_DELIVERY_ID, "The delivery's id."),
        "status": STATUS,
        "nextDueAt": or_null(instant(LATER, "Time of the next attempt; null: there is none.")),
        **_PROVENANCE,
        "url": or_null(
            string(URL, "URL of the last attempt; before the first one, the product's present URL.")
        ),
        "event": EVENT,
        "attempts": list_of(ATTEMPT),
    }
)
#: Kinds of documents, as event names begin.
_SUBJECT_KINDS: Final = dict.fromkeys(name.partition(".")[0] for name in EVENT_NAMES)
_ROW_OF_EVENT: Final = ("_id", "event", "triggeredAt", "sequence")
ROW: Final = object_of(
    {
        "_id": identifier(_DELIVERY_ID, "The delivery's id."),
        "status": STATUS,
        "nextDueAt": or_null(
            instant(LATER, "Time of the next attempt; null: settled, or an attempt is in flight.")
        ),
        **_PROVENANCE,
        "url": DELIVERY["properties"]["url"],
        "product": EVENT["properties"]["product"],
        "event": object_of({name: EVENT["properties"][name] for name in _ROW_OF_EVENT}),
        "about": object_of(
            {
                "kind": enum(_SUBJECT_KINDS, "Kind of the document that the payload is."),
                "_id": or_null(string(_EVENT_ID, "The document's `_id`, if the payload has one.")),
                "text": or_null(
                    string("Dark mode", "Title, name or e-mail; at most 80 characters.")
                ),
            }
        ),
        "attempts": integer(1, "Number of attempts that have ended."),
        "outcome": or_null(enum(Outcome, "Outcome of the last attempt; null: there was none.")),
        "answer": or_null(integer(503, "Status of the last response; null: there was none.")),
        "durationMs": or_null(number(17.6, "Duration of the last attempt in milliseconds.")),
        "fault": or_null(string("receiver_fails:timeout", "Fault of the last attempt.")),
    }
)
#: How far filters looked that read bodies.
_SEARCHED: Final = {
    **or_null(integer(10_000, "Number of the newest deliveries that `q` and `about` looked at.")),
    "examples": [None],
}


def _searched_page(item: Mapping[str, Any]) -> dict[str, Any]:
    members = {**page(item)["properties"], "searched": _SEARCHED}
    return object_of(members, optional=("searched",))


#: A list of deliveries, or of their rows.
LIST: Final = {"anyOf": [_searched_page(DELIVERY), _searched_page(ROW)]}
COUNT: Final = object_of(
    {
        "count": integer(3, "Number of deliveries."),
        "byStatus": object_of(
            {each.value: integer(1, f"Number of {each} deliveries.") for each in DeliveryStatus}
        ),
        "more": boolean("Whether counting stopped at 100 000 deliveries.", example=False),
        "searched": _SEARCHED,
    },
    optional=("searched",),
)
#: A page of what a dry run would do.
COUNTED_PAGE: Final = object_of(
    {**page(DELIVERY)["properties"], "count": integer(2, "Number on all pages.")}
)
BEFORE: Final = {**SINCE, "description": "Least age, such as `10m` or `1h30m`, or an instant."}
#: Filters on what a delivery sent and what came back.
EVIDENCE_FILTERS: Final[Mapping[str, dict[str, Any]]] = {
    "q": string(
        "Dark mode",
        "Text in the request's body, in any letter case; or six digits or more of either end of "
        "the id of a delivery or an event.",
        minLength=1,
        maxLength=200,
    ),
    "about": string(
        _EVENT_ID, "`_id` of the document that the payload is.", minLength=1, maxLength=200
    ),
    "outcome": enum(Outcome, "Outcome of the last attempt."),
    "answer": string(
        "4xx", "Status of the last answer: `503`, or `4xx`.", pattern="^[1-5](xx|[0-9]{2})$"
    ),
    "fault": string(
        "receiver_fails",
        "Kind of fault of the last attempt, with its variant or without; `any`: any fault.",
    ),
    "job": string("again", "Name of the job that made the delivery."),
}
#: Deliveries that a wait found, and the cursor for the next wait.
WAIT_RESULT: Final = object_of(
    {
        "items": list_of(DELIVERY),
        "cursor": cursor("Cursor for the next wait."),
        "more": boolean("Whether there are further deliveries.", example=False),
    }
)
#: A request of a dry run.
REQUEST: Final = object_of(
    {
        "event": enum(EVENT_NAMES, "Name of the event."),
        "method": enum(Method, "Method of the request."),
        "url": or_null(
            string(
                URL, "URL of the request; null: the product has no URL, and nothing would be sent."
            )
        ),
        "headers": list_of(_SENT_HEADER),
        "body": string('{"payload":{},"event":"idea.created"}', "The exact body."),
    }
)
#: The same without the payload, if the request says so.
_TRIGGERED_EVENT: Final = object_of(EVENT["properties"], optional=("payload",))
TRIGGERED: Final = object_of(
    {
        "event": _TRIGGERED_EVENT,
        "delivery": or_null(object_of({**DELIVERY["properties"], "event": _TRIGGERED_EVENT})),
    }
)
#: An attempt, with its delivery and event.
ATTEMPT_OF_DELIVERY: Final = object_of(
    {
        "delivery": identifier(_DELIVERY_ID, "Id of the delivery."),
        "event": enum(EVENT_NAMES, "Name of the event."),
        **ATTEMPT["properties"],
    }
)
ADVANCED: Final = object_of(
    {"now": instant(LATER, "Time by the clock."), "attempts": list_of(ATTEMPT_OF_DELIVERY)}
)
REDELIVERED: Final = object_of(
    {
        "job": string("again", "Name of the job; run it again under this name to continue."),
        "made": integer(2, "Number of new deliveries."),
        "withoutUrl": integer(
            0, "Number of events that were left out, as their product has no URL."
        ),
    }
)
SIGNED: Final = object_of({"text": string('{"title":"Dark mode"}', "The text that was signed.")})
CODE: Final = object_of(
    {
        "text": string(
            curl(method="POST", url=URL, headers=(), body="{}"),
            "Code with the exact body. Values of the product's own headers are masked.",
        ),
        "isMasked": boolean("Whether a value is masked.", example=False),
    }
)
SIGNATURE: Final = object_of(
    {
        "signedText": or_null(
            string('{"title":"Dark mode"}', "Text that was signed; null: the body is no envelope.")
        ),
        "scheme": enum(SignatureScheme, "Formula of the signature."),
        "content": enum(SignedContent, "Part of the body that is signed."),
        "location": enum(SignatureLocation, "Place of the signature."),
        "secret": or_null(
            enum(SigningSecret, "Secret that signed the text; null without a signature.")
        ),
        "signature": or_null(string("0" * 64, "Signature as sent; null: the request has none.")),
        "verifies": boolean("Whether a check with the current secret succeeds.", example=True),
        "fault": or_null(string("wrong_secret", "Fault of the attempt.")),
        "assumptions": ASSUMPTION_VALUES,
    }
)


def _explained() -> Explanation:
    """Return the explanation for a receiver that hashes the raw body."""
    secret, at = "whsec_test", datetime(2026, 1, 1, tzinfo=UTC)
    body = seal("{}", event=EVENT_NAMES[0], triggered_at=at, secret=secret).body
    return explain(body.encode(), secret, got=sign_text(body, secret), hashed=body.encode())


_EXPLAINED: Final = _explained()
_FOUND: Final = _EXPLAINED.mistakes[0].document()
_MISTAKE: Final = object_of(
    {
        "name": string(_FOUND["name"], "Name of the mistake, for programs."),
        "what": string(_FOUND["what"], "What the receiver does, and what is right."),
        "signatures": list_of(
            string("0" * 64, "Signature of this body that a receiver with the mistake computes.")
        ),
        "language": enum(Language, "Language of `fix`: the given one, or a likely one."),
        "fix": string(_FOUND["fix"], "The line that corrects it."),
        "javascript": string(_FOUND["javascript"], "The same in JavaScript."),
        "python": string(_FOUND["python"], "The same in Python."),
    }
)
_SIDE: Final = object_of(
    {
        "hex": string("7b 22", "Bytes around the first difference, in hex."),
        "text": string('{"', "The same as text."),
        "length": integer(1494, "Length of the whole text, in bytes.", minimum=0),
    }
)
_DIFFERENCE: Final = object_of(
    {
        "offset": integer(17, "Number of equal bytes before the difference.", minimum=0),
        "shownFrom": integer(5, "Offset of the first byte that is shown.", minimum=0),
        "expected": {**_SIDE, "description": "The text that should be hashed."},
        "found": {**_SIDE, "description": "The text that the receiver hashed."},
    }
)
_PROBE: Final = object_of(
    {
        "requests": integer(41, "Number of requests that were sent to the receiver.", minimum=0),
        "accepted": {
            **list_of(
                object_of(
                    {
                        "event": enum(EVENT_NAMES, "Name of the event."),
                        "_id": or_null(string("0" * 24, "Id of its document.")),
                        "triggeredAt": instant("2026-01-01T00:00:00.000Z", "Its `triggeredAt`."),
                    }
                )
            ),
            "description": "Events that the receiver accepted; it may have acted on them.",
        },
    }
)
EXPLANATION: Final = {
    "examples": [_EXPLAINED.document()],
    **object_of(
        {
            "verdict": enum(Verdict, "Verdict for programs."),
            "summary": string(_EXPLAINED.summary, "The verdict in a sentence."),
            "hint": string(_EXPLAINED.hint, "What to do; empty if the mistakes say it."),
            "mistakes": {
                **list_of(_MISTAKE),
                "description": "Mistakes that explain the signature; for a correct one, the usual "
                "mistakes.",
            },
            "difference": or_null(
                {
                    **_DIFFERENCE,
                    "description": "First difference between the two texts, if `hashed` was given.",
                }
            ),
            "probe": or_null(
                {**_PROBE, "description": "What was sent to the receiver, if `probe` was true."}
            ),
        },
        # Examples have no members that are null.
        optional=("probe",),
    ),
}
EVENT_KIND: Final = object_of(
    {
        "name": enum(EVENT_NAMES, "Name of the event."),
        "group": string(EVENTS[0].group, "Group of the event."),
        "meaning": string(EVENTS[0].meaning, "Trigger of the event."),
        "triggerSource": enum(Source, "Source of the trigger: the article, or an inference."),
        "payloadSource": enum(Source, "Source of the payload: the article, or an inference."),
    }
)
#: Schema of a JSON Schema, which describes itself.
SCHEMA: Final = {
    "type": "object",
    "description": "A JSON Schema.",
    "examples": [{"title": "idea.created", "type": "object"}],
}
