"""The six resources: paths, fields, filters and verbs of each."""

from typing import Annotated, Any

from fastapi import FastAPI
from pydantic import Field, WithJsonSchema

from leanbe_emitter.domain import (
    announcements,
    backlog_items,
    customers,
    idea_requests,
    ideas,
    okrs,
)
from leanbe_emitter.library import Leanbe
from leanbe_emitter.library.documents.announcements import Announcements
from leanbe_emitter.library.documents.backlog_items import BacklogItems
from leanbe_emitter.library.documents.customers import Customers
from leanbe_emitter.library.documents.idea_requests import IdeaRequests
from leanbe_emitter.library.documents.ideas import Ideas
from leanbe_emitter.library.documents.okrs import Okrs
from leanbe_emitter.server.http.query_parameters import QueryParameter, boolean_parameter
from leanbe_emitter.server.routes.resource_operations import Resource, Verb, add_resource
from leanbe_emitter.server.schemas.json_schema import enum, string
from leanbe_emitter.storage.schema.states import AnnouncementStatus, RequestStatus
from leanbe_emitter.strict_model import StrictModel

_CUSTOMER_EXAMPLE = {"customer": "ana@example.com"}
_IDEA_ID = "649d2ac49c3a1954e6a2e421"
_OWNER = QueryParameter(name="owner", schema=string("bo@example.com", "E-mail or id of the owner."))
_ASSIGNED = QueryParameter(
    name="assigned", schema=string("bo@example.com", "E-mail or id of the assigned user.")
)

_CUSTOMER = string("ana@example.com", "E-mail or id of the customer.")


class Vote(StrictModel):
    """A vote."""

    # A request leaves it out for an anonymous vote; null is no value.
    customer: Annotated[str, WithJsonSchema(_CUSTOMER)] = Field(default_factory=str)


class Withdrawal(StrictModel):
    """The withdrawal of a vote."""

    customer: Annotated[str, WithJsonSchema(_CUSTOMER)]


class Attachment(StrictModel):
    """The attachment of an idea request to an idea."""

    idea: Annotated[str, WithJsonSchema(string(_IDEA_ID, "Id of the idea."))]


class StatusChange(StrictModel):
    """The change of a backlog item's status."""

    status: Annotated[str, WithJsonSchema(string("In Progress", "One of the product's statuses."))]


class CheckIn(StrictModel):
    """The present value of a key result."""

    key_result: Annotated[
        str, WithJsonSchema(string(_IDEA_ID, "Id of the key result, or a part of it."))
    ]
    # The domain checks that it is a number.
    value: Annotated[Any, WithJsonSchema({"type": "number", "description": "The present value."})]


class NewIdeaRequests(StrictModel):
    """Idea requests of a new idea."""

    requests: list[str] = Field(
        default_factory=list, description="Ids of new idea requests to attach to the idea."
    )


CUSTOMERS = Resource(
    name="customer",
    documents=Customers,
    locks_others=True,
    path="customers",
    noun="customer",
    settable=customers.SETTABLE,
    required=["email"],
    example={"email": "ana@example.com", "firstName": "Ana", "company": {"jobTitle": "CTO"}},
    filters=[
        QueryParameter(
            name="email", schema=string("ana@example.com", "E-mail address of the customer.")
        ),
        boolean_parameter("confirmed", "Whether the e-mail address was verified."),
    ],
    verbs=[Verb(name="confirm", summary="Record that a customer's e-mail address was verified.")],
)
IDEAS = Resource(
    name="idea",
    documents=Ideas,
    path="ideas",
    noun="idea",
    settable=ideas.SETTABLE,
    required=["title"],
    example={"title": "Dark mode", "tags": [{"title": "ui"}]},
    only_new=NewIdeaRequests,
    filters=[
        boolean_parameter("promoted", "Whether the idea was promoted to the backlog."),
        boolean_parameter("archived", "Whether the idea is archived."),
        QueryParameter(
            name="visibility", schema=string("public", "Visibility: `public`, or another word.")
        ),
        QueryParameter(name="tag", schema=string("ui", "Title of a tag.")),
        _OWNER,
        _ASSIGNED,
    ],
    verbs=[
        Verb(name="promote", summary="Promote an idea to the backlog."),
        Verb(
            name="upvote",
            summary="Vote for an idea; without a customer, the vote is anonymous.",
            body=Vote,
            example=_CUSTOMER_EXAMPLE,
        ),
        Verb(
            name="downvote",
            summary="Vote against an idea; without a customer, the vote is anonymous.",
            body=Vote,
            example=_CUSTOMER_EXAMPLE,
        ),
        Verb(
            name="withdraw-vote",
            summary="Withdraw a customer's vote; this has no event.",
            body=Withdrawal,
            is_body_required=True,
            example=_CUSTOMER_EXAMPLE,
        ),
    ],
)
IDEA_REQUESTS = Resource(
    name="ideaRequest",
    documents=IdeaRequests,
    # A request may create a customer, or change one who belongs to further products.
    locks_others=True,
    path="idea-requests",
    noun="idea request",
    settable=idea_requests.SETTABLE,
    required=["title"],
    example={"title": "Dark mode, please", "customer": "ana@example.com"},
    filters=[
        QueryParameter(name="status", schema=enum(RequestStatus, "Status of the request.")),
        QueryParameter(
            name="customer", schema=string("ana@example.com", "E-mail or id of the customer.")
        ),
        QueryParameter(
            name="idea", schema=string(_IDEA_ID, "Id of the idea to which the request is attached.")
        ),
    ],
    verbs=[
        Verb(
            name="attach",
            summary="Attach a new idea request to an idea.",
            body=Attachment,
            is_body_required=True,
            example={"idea": _IDEA_ID},
        ),
        Verb(name="ignore", summary="Ignore a new idea request, for good."),
    ],
    is_fixed=True,
)
BACKLOG_ITEMS = Resource(
    name="backlogItem",
    documents=BacklogItems,
    path="backlog-items",
    noun="backlog item",
    settable=backlog_items.SETTABLE,
    required=["title"],
    example={"title": "Fix the login", "tags": [{"title": "bug"}]},
    filters=[
        QueryParameter(
            name="status", schema=string("In Progress", "One of the product's statuses.")
        ),
        _ASSIGNED,
        QueryParameter(name="idea", schema=string(_IDEA_ID, "Id of the idea that was promoted.")),
    ],
    verbs=[
        Verb(
            name="status",
            summary="Set a backlog item's status.",
            method="set_status",
            body=StatusChange,
            is_body_required=True,
            example={"status": "In Progress"},
        )
    ],
)
OKRS = Resource(
    name="okr",
    documents=Okrs,
    path="okrs",
    noun="OKR",
    settable=okrs.SETTABLE,
    required=["title"],
    example={
        "title": "Make onboarding effortless",
        "keyResults": [{"title": "Activation", "startValue": 40, "targetValue": 60}],
    },
    filters=[_OWNER],
    verbs=[
        Verb(
            name="check-in",
            summary="Record the present value of a key result.",
            body=CheckIn,
            is_body_required=True,
            example={"keyResult": _IDEA_ID, "value": 52},
        )
    ],
)
ANNOUNCEMENTS = Resource(
    name="announcement",
    documents=Announcements,
    path="announcements",
    noun="announcement",
    settable=announcements.SETTABLE,
    required=["title"],
    example={"title": "Dark mode is here", "categories": [{"title": "New feature"}]},
    filters=[
        QueryParameter(
            name="status", schema=enum(AnnouncementStatus, "Status of the announcement.")
        )
    ],
    verbs=[
        Verb(
            name="publish", summary="Publish an announcement; the event is `announcement.updated`."
        ),
        Verb(
            name="unpublish",
            summary="Unpublish an announcement; the event is `announcement.updated`.",
        ),
    ],
)

#: The resources by their tags in the OpenAPI document.
RESOURCES = {
    "Customers": CUSTOMERS,
    "Ideas": IDEAS,
    "Idea requests": IDEA_REQUESTS,
    "Backlog items": BACKLOG_ITEMS,
    "OKRs": OKRS,
    "Announcements": ANNOUNCEMENTS,
}


def add_routes(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operations of all six resources."""
    for tag, resource in RESOURCES.items():
        add_resource(app, leanbe, resource, tag=tag)
