"""JSON Schema of products, their settings, and the server itself.

Each part has an example; ``example_of`` builds the example of a whole from those of its parts.
"""

from typing import Any, Final

from leanbe_emitter.server.schemas.json_schema import (
    Schema,
    boolean,
    cursor_of_list,
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
from leanbe_emitter.snippets import NAMES
from leanbe_emitter.storage.schema.states import DeliveryStatus
from leanbe_emitter.wire.assumptions.catalogue import (
    ASSUMPTION_NAMES,
    ASSUMPTIONS,
    Assumption,
    assumption,
)
from leanbe_emitter.wire.faults.catalogue import ActsOn


def page(item: Schema) -> dict[str, Any]:
    """Return the schema of a page of a list."""
    next_page = cursor_of_list("Cursor of the next page; null at the end of the list.")
    return object_of({"items": list_of(item), "cursor": or_null(next_page)})


#: Values that all examples share.
PRODUCT_ID: Final = "649d2ac49c3a1954e6a2e3f0"
URL: Final = "http://127.0.0.1:8000/hooks/leanbe"
AT: Final = "2023-06-29T06:56:57.472Z"
LATER: Final = "2023-06-29T06:56:57.490Z"

#: Type of an assumption's value in a request: a text, or the number or boolean with that text.
ASSUMPTION_VALUE: Final = {"type": ["string", "number", "boolean"]}


def _assumption(assumption: Assumption) -> dict[str, Any]:
    if not assumption.values:
        meaning = f"{assumption.question} It takes {assumption.accepts}."
        return {**string(assumption.default, meaning), **ASSUMPTION_VALUE}
    if set(assumption.values) == {"true", "false"}:
        # Two schemas, because generators of clients know no enum with values of two types.
        text = enum(assumption.values, "The same as a text.")
        return {"anyOf": [{"type": "boolean"}, text], "description": assumption.question}
    return enum(assumption.values, assumption.question)


#: Values of a product's assumptions, by name.
ASSUMPTION_VALUES: Final = {
    "type": "object",
    "description": "Assumptions that are set, by name.",
    "additionalProperties": {"type": "string"},
    "examples": [{"max_attempts": "3"}],
}
#: Assumptions in a request.
NEW_ASSUMPTIONS: Final = {
    "type": "object",
    "description": "Assumptions to set, by name.",
    "properties": {each.name: _assumption(each) for each in ASSUMPTIONS if each.name},
    "additionalProperties": False,
    "examples": [{"max_attempts": "3"}],
}
PROBLEM: Final = {
    **object_of(
        {
            "type": string("about:blank", "Always this: no page describes the problem."),
            "title": string("Not Found", "The status in words."),
            "status": integer(404, "Status of the response."),
            "code": string("not_found", "What went wrong, for programs."),
            "detail": string("There is no product 'Acmee'.", "What went wrong, for people."),
            "hint": string("Did you mean Acme?", "What to do."),
        }
    ),
    "description": "A problem: what went wrong, and what to do. Programs use `code`.",
    "additionalProperties": True,
}
SECRET: Final = object_of({"secret": string("whsec_test", "Secret that signs requests.")})
WEBHOOK: Final = object_of(
    {
        "url": or_null(string(URL, "URL for all events; null: none.")),
        "hasSecret": boolean("Whether the product has a secret.", example=True),
        "headers": list_of(string("X-Environment", "Name of a further header of requests.")),
        "caFile": or_null(
            string(
                "/etc/ssl/receivers.pem",
                "PEM file with the authorities that are trusted instead of the system's.",
            )
        ),
        "insecure": boolean("Whether every certificate is trusted.", example=False),
    }
)
PRODUCT: Final = object_of(
    {
        "_id": identifier(PRODUCT_ID, "The product's id."),
        "name": string("Acme", "Unique name of the product."),
        "webhook": WEBHOOK,
        "assumptions": ASSUMPTION_VALUES,
        "statuses": list_of(string("To Do", "A status that a backlog item can have.")),
        "createdAt": instant(AT, "Time of creation."),
        "updatedAt": instant(AT, "Time of the last change."),
    }
)


def _string(description: str) -> dict[str, Any]:
    """Return the schema of a string whose example is in the example of the whole object."""
    return {"type": "string", "description": description}


ASSUMPTION: Final = {
    **object_of(
        {
            "number": _string("Number of the assumption."),
            "name": enum(ASSUMPTION_NAMES, "Name of the assumption."),
            "question": _string("Question that the article leaves open."),
            "evidence": _string("What the article says about the question."),
            "note": _string("Further remarks."),
            "kind": _string("Type of the value."),
            "values": list_of(_string("A possible value, if there is a list of them.")),
            "accepts": _string("Possible values in words."),
            "article": _string("Value that follows the article literally."),
            "settledAt": _string("Time at which the value is read."),
            "value": _string("Value of the product."),
        }
    ),
    "examples": [assumption("max_attempts").document({"max_attempts": "3"})],
}
USER: Final = object_of(
    {
        "_id": identifier("649d2ac49c3a1954e6a2e3f1", "The user's id."),
        "firstName": string("Bo", "First name, as payloads show it."),
        "email": string("bo@example.com", "E-mail address, unique in a product."),
    }
)
CLOCK: Final = object_of(
    {
        "kind": enum(
            ["manual", "system"], "Kind of the clock: users move a manual clock themselves."
        ),
        "now": instant(AT, "Time by the clock."),
    }
)
CLOCK_WITH_NEXT: Final = object_of(
    {
        **CLOCK["properties"],
        "next": or_null(
            object_of(
                {
                    "at": instant(LATER, "Time at which the next retry falls due."),
                    "count": integer(3, "Number of deliveries that fall due then.", minimum=1),
                }
            )
        ),
    }
)
SNIPPET: Final = object_of(
    {
        "name": enum(NAMES, "A language, a framework or a program."),
        "meaning": string("PHP without packages.", "What it is written in."),
        "text": string("<?php", "The file."),
    }
)
FAULT_KIND: Final = object_of(
    {
        "kind": string("receiver_fails", "Kind of fault."),
        "group": enum(ActsOn, "Part of a delivery that it changes."),
        "sees": string("The request twice.", "What the receiver gets, and the result."),
        "ways": list_of(
            object_of(
                {
                    "how": string("timeout", "Variant: a word, `status:CODE` or `DURATION`."),
                    "sees": string("no answer comes", "Meaning of the variant."),
                }
            )
        ),
        "default": or_null(string("timeout", "Variant to take if the user names none.")),
    }
)
FAULT: Final = object_of(
    {
        "_id": identifier("649d2ac49c3a1954e6a2e4f0", "The fault's id."),
        "kind": string("receiver_fails", "Kind of the fault."),
        "how": or_null(string("timeout", "Variant, if the kind has several.")),
        "times": integer(2, "Number of attempts that the fault is for.", minimum=1),
        "fired": integer(0, "Number of attempts that had the fault."),
        "event": or_null(string("idea.*", "Glob of the events that the fault is for; null: all.")),
        "product": or_null(
            identifier(PRODUCT_ID, "Id of the product that the fault is for; null: all.")
        ),
        "mustFire": boolean(
            "Whether the Python test that added the fault fails if it never fires.", example=False
        ),
    }
)
INFO: Final = object_of(
    {
        "version": string("0.1.0", "Version of leanbe-emitter."),
        "db": string("sqlite:///leanbe-emitter.db", "URL of the database, without its password."),
        "clock": CLOCK,
        "counts": object_of(
            {
                "products": integer(1, "Number of products."),
                "events": integer(7, "Number of events."),
                "deliveries": object_of(
                    {
                        each.value: integer(2, "Number of deliveries with this status.")
                        for each in DeliveryStatus
                    }
                ),
            }
        ),
        "assumptions": {**ASSUMPTION_VALUES, "description": "Assumptions of new products."},
        "seedFile": or_null(
            string("acme.yaml", "Name of the seed file that each reset loads; null: there is none.")
        ),
        "worker": boolean("Whether the server delivers; else other processes do.", example=True),
        "needsToken": boolean("Whether requests need a token.", example=False),
        "keep": or_null(string("7d", "How long settled deliveries are kept; null: for ever.")),
    }
)
HEALTH: Final = object_of({"status": {"const": "ok", "description": "The server answers."}})
READINESS: Final = object_of(
    {
        "database": enum(["current"], "The tables have the version that this server needs."),
        "worker": enum(
            ["alive", "off"], "The server's own worker; `off`: other processes deliver."
        ),
        "due": integer(0, "Number of deliveries that are due."),
        "inFlight": integer(0, "Number of deliveries in flight."),
        "lagSeconds": number(0.0, "Seconds since the oldest due delivery became due."),
    }
)
#: Schema of the OpenAPI document, which describes itself.
OPENAPI: Final = {
    "type": "object",
    "description": "An OpenAPI document.",
    "examples": [{"openapi": "3.1.0"}],
}
