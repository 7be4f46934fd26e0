"""JSON Schema of what is answered: made from the shapes of the documents where there are any.

Every smallest part has its example; those of the whole are put together from them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from random import Random
from typing import Any, Final

from leanbe_emitter.headers import MASK
from leanbe_emitter.ids import Ids
from leanbe_emitter.server.kinds import (
    SEEN,
    Schema,
    choice,
    cursor,
    cursor_of_list,
    identifier,
    instant,
    list_of,
    number,
    object_of,
    or_null,
    text,
    truth,
    whole,
)
from leanbe_emitter.storage.states import DeliveryStatus, Outcome
from leanbe_emitter.wire.assumptions import ASSUMPTIONS, NAMES, Assumption, assumption
from leanbe_emitter.wire.catalogue import EVENT_NAMES, EVENTS, Source
from leanbe_emitter.wire.payloads import RESOURCES
from leanbe_emitter.wire.samples import Story
from leanbe_emitter.wire.schema import document_schema
from leanbe_emitter.wire.stringify import JSON


def page(item: Schema) -> dict[str, Any]:
    """Return the schema of a part of a list."""
    next_page = cursor_of_list("Where the next part begins; null at the end of the list.")
    return object_of({"items": list_of(item), "cursor": or_null(next_page)})


_PRODUCT_ID: Final = "649d2ac49c3a1954e6a2e3f0"
_EVENT_ID: Final = "649d2ac99c3a1954e6a2e42a"
_DELIVERY_ID: Final = "649d2ac99c3a1954e6a2e42b"
_AT: Final = "2023-06-29T06:56:57.472Z"
_LATER: Final = "2023-06-29T06:56:57.490Z"
_URL: Final = "http://127.0.0.1:8000/hooks/leanbe"

#: An assumption's value as it is given: its text, or the number or truth value of that text.
SWITCH: Final = {"type": ["string", "number", "boolean"]}


def _switch(assumption: Assumption) -> dict[str, Any]:
    if not assumption.values:
        meaning = f"{assumption.question} It takes {assumption.accepts}."
        return {**text(assumption.default, meaning), **SWITCH}
    truths = [value == "true" for value in assumption.values if value in {"true", "false"}]
    named = choice(assumption.values, assumption.question)
    return {**named, "enum": [*named["enum"], *truths], **SWITCH} if truths else named


#: Assumptions that are set, by name.
ASSUMED: Final = {
    "type": "object",
    "description": "Assumptions that are set, by name.",
    "additionalProperties": {"type": "string"},
    "examples": [{"max_attempts": "3"}],
}
#: The same, as they are set.
SET: Final = {
    "type": "object",
    "description": "Assumptions to set, by name.",
    "properties": {each.name: _switch(each) for each in ASSUMPTIONS if each.name},
    "additionalProperties": False,
    "examples": [{"max_attempts": "3"}],
}
PROBLEM: Final = {
    **object_of(
        {
            "type": text("about:blank", "No page tells more."),
            "title": text("Not Found", "The status in words."),
            "status": whole(404, "The status of the answer."),
            "code": text("not_found", "What went wrong, for programs."),
            "detail": text("There is no product 'Acmee'.", "What went wrong, for people."),
            "hint": text("Did you mean Acme?", "What to do."),
        }
    ),
    "description": "What went wrong, and what to do: `code` is for programs.",
    "additionalProperties": True,
}
SECRET: Final = object_of({"secret": text("whsec_test", "What requests are signed with.")})
WEBHOOK: Final = object_of(
    {
        "url": or_null(text(_URL, "Where events go; null: nowhere.")),
        "hasSecret": truth("Whether there is a secret to sign with.", eg=True),
        "headers": list_of(text("X-Environment", "The name of a further header of requests.")),
        "caFile": or_null(
            text(
                "/etc/ssl/receivers.pem",
                "A PEM file: its authorities are trusted, and not the system's.",
            )
        ),
        "insecure": truth("Whether any certificate is trusted.", eg=False),
        "secret": {"type": "string", "description": "At its creation only."},
    },
    optional=("secret",),
)
PRODUCT: Final = object_of(
    {
        "_id": identifier(_PRODUCT_ID, "The product's id."),
        "name": text("Acme", "Its name, which no other has."),
        "webhook": WEBHOOK,
        "assumptions": ASSUMED,
        "statuses": list_of(text("To Do", "What a backlog item's status can be.")),
        "createdAt": instant(_AT, "When it was made."),
        "updatedAt": instant(_AT, "When it was changed last."),
    }
)


def _said(meaning: str) -> dict[str, Any]:
    """Return the schema of a text that the example of a whole object shows."""
    return {"type": "string", "description": meaning}


ASSUMPTION: Final = {
    **object_of(
        {
            "number": _said("Its number."),
            "name": choice(NAMES, "The switch."),
            "question": _said("What the article leaves open."),
            "evidence": _said("What the article says of it."),
            "note": _said("What else there is to know."),
            "kind": _said("What kind of value it takes."),
            "values": list_of(_said("A value that it takes, where there are only some.")),
            "accepts": _said("What it takes, in words."),
            "article": _said("The value by which the article is read as it stands."),
            "settledAt": _said("When it is looked at."),
            "value": _said("The value here."),
        }
    ),
    "examples": [assumption("max_attempts").document({"max_attempts": "3"})],
}
USER: Final = object_of(
    {
        "_id": identifier("649d2ac49c3a1954e6a2e3f1", "The user's id."),
        "firstName": text("Bo", "As payloads show it."),
        "email": text("bo@example.com", "Unique in a product."),
    }
)
EVENT: Final = object_of(
    {
        "_id": identifier(_EVENT_ID, "The event's id."),
        "event": choice(EVENT_NAMES, "What happened."),
        "product": identifier(_PRODUCT_ID, "Where."),
        "sequence": whole(7, "Its place among its product's events; the first is 1.", minimum=1),
        "triggeredAt": instant(_AT, "When."),
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
        "startedAt": instant(_AT, "When it began."),
        "durationMs": number(17.6, "How long it took, in milliseconds."),
        "url": text(_URL, "Where the request went."),
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
        "nextDueAt": or_null(instant(_LATER, "When it is tried next, if it is.")),
        "url": or_null(text(_URL, "Where it goes, at present.")),
        "event": EVENT,
        "attempts": list_of(ATTEMPT),
    }
)
#: Deliveries that came, and where to go on waiting.
CAUGHT: Final = object_of(
    {"items": list_of(DELIVERY), "cursor": cursor("From before they were looked for.")}
)
CLOCK: Final = object_of(
    {
        "kind": choice(
            ["manual", "system"], "Whose clock it is: one that is moved by hand, or not."
        ),
        "now": instant(_AT, "What time it is."),
    }
)
#: An attempt, with the ids of what it was made for.
MADE: Final = object_of(
    {
        "delivery": identifier(_DELIVERY_ID, "What it is an attempt of."),
        "event": choice(EVENT_NAMES, "What is delivered."),
        **ATTEMPT["properties"],
    }
)
ADVANCED: Final = object_of(
    {"now": instant(_LATER, "What time it is now."), "attempts": list_of(MADE)}
)
FAULT: Final = object_of(
    {
        "_id": identifier("649d2ac49c3a1954e6a2e4f0", "The fault's id."),
        "kind": text("receiver_fails", "What is done."),
        "how": or_null(text("timeout", "How, where there are several ways.")),
        "times": whole(2, "How many deliveries take it.", minimum=1),
        "fired": whole(0, "How many have taken it."),
        "event": or_null(text("idea.*", "The events that it is meant for; null: any.")),
        "product": or_null(
            identifier(_PRODUCT_ID, "Whose events it is meant for; null: anybody's.")
        ),
        "mustFire": truth(
            "Whether the Python test that armed it fails if it never fires.", eg=False
        ),
    }
)
REDELIVERED: Final = object_of(
    {
        "job": text("again", "Under which name it goes on."),
        "made": whole(2, "How many new deliveries there are."),
        "withoutUrl": whole(0, "How many events nobody is owed: their product has no URL."),
    }
)
EVENT_KIND: Final = object_of(
    {
        "name": choice(EVENT_NAMES, "Its name."),
        "group": text(EVENTS[0].group, "What it belongs to."),
        "meaning": text(EVENTS[0].meaning, "When it is raised."),
        "triggerSource": choice(Source, "Whether the article says when it is raised."),
        "payloadSource": choice(Source, "Whether the article shows its payload."),
    }
)
INFO: Final = object_of(
    {
        "version": text("0.1.0", "Of this program."),
        "db": text("sqlite:///leanbe-emitter.db", "The database, without its password."),
        "clock": CLOCK,
        "counts": object_of(
            {
                "products": whole(1, "How many products there are."),
                "events": whole(7, "How many events."),
                "deliveries": object_of(
                    {each.value: whole(2, "How many of these.") for each in DeliveryStatus}
                ),
            }
        ),
        "assumptions": {**ASSUMED, "description": "What new products assume."},
    }
)
HEALTH: Final = object_of({"status": {"const": "ok", "description": "The server answers."}})
READINESS: Final = object_of(
    {
        "database": choice(["current"], "Its tables are this program's."),
        "worker": choice(["alive", "off"], "The worker inside; it may be left to others."),
        "due": whole(0, "How many deliveries wait for a worker."),
        "inFlight": whole(0, "How many are under way."),
        "lagSeconds": number(0.0, "For how long the oldest has been due."),
    }
)
TRIGGERED: Final = object_of({"event": EVENT, "delivery": or_null(DELIVERY)})
#: The schemas of events and of the API itself say all of it themselves.
SCHEMA: Final = {
    "type": "object",
    "description": "A JSON Schema.",
    "examples": [{"title": "idea.created", "type": "object"}],
}
OPENAPI: Final = {
    "type": "object",
    "description": "A document in OpenAPI's form.",
    "examples": [{"openapi": "3.1.0"}],
}


def document(resource: str) -> dict[str, Any]:
    """Return the schema of a resource's document, however a product reads the article.

    What a reading may leave out, name otherwise or add (contract d) is not held against it.
    """
    schema = document_schema(resource)
    required = schema["required"]
    open_to_readings: dict[str, Any] = _opened(schema)
    return {**open_to_readings, "required": required, "examples": [_samples()[resource]]}


@lru_cache(maxsize=1)
def _samples() -> dict[str, dict[str, JSON]]:
    """Return a document of each resource, the same in every run."""
    story = Story(
        product={"_id": _PRODUCT_ID, "name": "Acme"},
        ids=Ids(Random(0)),  # noqa: S311 - the same in every run
        now=datetime(2023, 6, 29, 6, 56, 57, tzinfo=UTC),
    )
    return {name: story.payload(f"{name}.created") for name in RESOURCES}


def _opened(schema: Any) -> Any:
    match schema:
        case {"type": "object"}:
            members = {
                name: _nullable(_opened(member), is_optional=name not in schema["required"])
                for name, member in schema.get("properties", {}).items()
            }
            kept = {key: schema[key] for key in ("description", "type") if key in schema}
            return {**kept, "properties": members}
        case {"type": "array"}:
            return {**schema, "items": _opened(schema["items"])}
        case _:
            return schema


def _nullable(schema: dict[str, Any], *, is_optional: bool) -> dict[str, Any]:
    return or_null(schema) if is_optional and "type" in schema else schema


#: Fields that name something else are set by what names it.
_REFERENCES: Final = ("owner", "assigned", "customer")
_PRODUCTS: Final = "products"
_KEY_RESULTS: Final = "keyResults"


def settable(resource: str, names: Sequence[str], *, needed: Sequence[str] = ()) -> dict[str, Any]:
    """Return the schema of the fields of a document that may be set.

    Args:
        resource: one of ``wire.payloads.RESOURCES``.
        names: of those fields.
        needed: those that have to be there; without any, at least one field has to.
    """
    members: dict[str, Any] = document_schema(resource)["properties"]
    required = document_schema(resource)["required"]
    return {
        "type": "object",
        "properties": {
            name: _nullable(_given(name, members[name]), is_optional=name not in required)
            for name in names
        },
        "additionalProperties": False,
        **({"required": [*needed]} if needed else {"minProperties": 1}),
    }


def _given(name: str, member: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a field as it is set."""
    if name == _KEY_RESULTS:
        # One that is there is edited, by its id; any other is new.
        one = {
            **_taken(member["items"]),
            "anyOf": [{"required": ["_id"]}, {"required": ["title", "targetValue"]}],
        }
        return {**member, "items": one}
    if name == _PRODUCTS:
        return {**member, "items": {"type": "string"}}
    if name in _REFERENCES:
        who = "an id, or a part of one" if name == "customer" else "an e-mail, or an id"
        return {"type": "string", "description": f"{member['description']} Set by {who}."}
    return _taken(member)


def _taken(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value as it is taken: what bears an id may leave out all but that."""
    match schema:
        case {"type": "object", "properties": members}:
            required = schema["required"]
            taken = {
                name: _nullable(_taken(member), is_optional=name not in required)
                for name, member in members.items()
            }
            needed = [] if "_id" in members else required
            return {**schema, "properties": taken, "required": needed}
        case {"type": "array", "items": item}:
            return {**schema, "items": _entry(_taken(item))}
        case {"minLength": 1}:
            return {**schema, "pattern": SEEN}
        case _:
            return schema


def _entry(item: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an entry; one of a single member may be given as that alone."""
    members = [*item["properties"].values()]
    return {"anyOf": [item, members[0]]} if len(members) == 1 else item
