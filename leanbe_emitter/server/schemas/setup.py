"""JSON Schema of what is answered: of products and their settings, and of the server itself.

Every smallest part has its example; those of the whole are put together from them. Events and
deliveries are in ``delivery_schemas``, the documents of products in ``document_schemas``.
"""

from typing import Any, Final

from leanbe_emitter.server.schemas.json_schema import (
    Schema,
    choice,
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
from leanbe_emitter.storage.schema.states import DeliveryStatus
from leanbe_emitter.wire.assumptions.catalogue import (
    ASSUMPTION_NAMES,
    ASSUMPTIONS,
    Assumption,
    assumption,
)


def page(item: Schema) -> dict[str, Any]:
    """Return the schema of a part of a list."""
    next_page = cursor_of_list("Where the next part begins; null at the end of the list.")
    return object_of({"items": list_of(item), "cursor": or_null(next_page)})


#: What the examples have in common.
PRODUCT_ID: Final = "649d2ac49c3a1954e6a2e3f0"
URL: Final = "http://127.0.0.1:8000/hooks/leanbe"
AT: Final = "2023-06-29T06:56:57.472Z"
LATER: Final = "2023-06-29T06:56:57.490Z"

#: An assumption's value as it is given: its text, or the number or truth value of that text.
ASSUMPTION_VALUE: Final = {"type": ["string", "number", "boolean"]}


def _assumption(assumption: Assumption) -> dict[str, Any]:
    if not assumption.values:
        meaning = f"{assumption.question} It takes {assumption.accepts}."
        return {**text(assumption.default, meaning), **ASSUMPTION_VALUE}
    truths = [value == "true" for value in assumption.values if value in {"true", "false"}]
    named = choice(assumption.values, assumption.question)
    return {**named, "enum": [*named["enum"], *truths], **ASSUMPTION_VALUE} if truths else named


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
    "properties": {each.name: _assumption(each) for each in ASSUMPTIONS if each.name},
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
        "url": or_null(text(URL, "Where events go; null: nowhere.")),
        "hasSecret": truth("Whether there is a secret to sign with.", eg=True),
        "headers": list_of(text("X-Environment", "The name of a further header of requests.")),
        "caFile": or_null(
            text(
                "/etc/ssl/receivers.pem",
                "A PEM file: its authorities are trusted, and not the system's.",
            )
        ),
        "insecure": truth("Whether any certificate is trusted.", eg=False),
    }
)
PRODUCT: Final = object_of(
    {
        "_id": identifier(PRODUCT_ID, "The product's id."),
        "name": text("Acme", "Its name, which no other has."),
        "webhook": WEBHOOK,
        "assumptions": ASSUMED,
        "statuses": list_of(text("To Do", "What a backlog item's status can be.")),
        "createdAt": instant(AT, "When it was made."),
        "updatedAt": instant(AT, "When it was changed last."),
    }
)


def _said(meaning: str) -> dict[str, Any]:
    """Return the schema of a text that the example of a whole object shows."""
    return {"type": "string", "description": meaning}


ASSUMPTION: Final = {
    **object_of(
        {
            "number": _said("Its number."),
            "name": choice(ASSUMPTION_NAMES, "The assumption's name."),
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
CLOCK: Final = object_of(
    {
        "kind": choice(
            ["manual", "system"], "Whose clock it is: one that is moved by hand, or not."
        ),
        "now": instant(AT, "What time it is."),
    }
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
            identifier(PRODUCT_ID, "Whose events it is meant for; null: anybody's.")
        ),
        "mustFire": truth(
            "Whether the Python test that armed it fails if it never fires.", eg=False
        ),
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
#: The document says all of it itself.
OPENAPI: Final = {
    "type": "object",
    "description": "A document in OpenAPI's form.",
    "examples": [{"openapi": "3.1.0"}],
}
