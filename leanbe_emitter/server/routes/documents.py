"""The six resources: what each of them has of its own."""

from fastapi import FastAPI

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
from leanbe_emitter.server.http.parsing import Parameter, flag
from leanbe_emitter.server.routes.resources import Resource, Verb, add
from leanbe_emitter.server.schemas.json_schema import choice, text
from leanbe_emitter.storage.schema.states import AnnouncementStatus, RequestStatus

_CUSTOMER = {"customer": text("ana@example.com", "Whose it is: an e-mail, or an id.")}
_EG_CUSTOMER = {"customer": "ana@example.com"}
_OWNER = Parameter(
    name="owner", schema=text("bo@example.com", "E-mail or id of a user who owns it.")
)
_ASSIGNED = Parameter(
    name="assigned", schema=text("bo@example.com", "E-mail or id of a user who works on it.")
)

CUSTOMERS = Resource(
    name="customer",
    kind=Customers,
    locks_others=True,
    path="customers",
    noun="customer",
    settable=customers.SETTABLE,
    needed=["email"],
    eg={"email": "ana@example.com", "firstName": "Ana", "company": {"jobTitle": "CTO"}},
    filters=[
        Parameter(name="email", schema=text("ana@example.com", "The one of this e-mail.")),
        flag("confirmed", "Whether the e-mail was verified."),
    ],
    verbs=[Verb(name="confirm", meaning="Note that a customer's e-mail was verified.")],
)
IDEAS = Resource(
    name="idea",
    kind=Ideas,
    path="ideas",
    noun="idea",
    settable=ideas.SETTABLE,
    needed=["title"],
    eg={"title": "Dark mode", "tags": [{"title": "ui"}]},
    only_new={
        "requests": {
            "type": "array",
            "items": {"type": "string"},
            "description": "New idea requests that become part of it, by id.",
        }
    },
    filters=[
        flag("promoted", "Whether it was taken into the backlog."),
        flag("archived", "Whether it was put away."),
        Parameter(
            name="visibility", schema=text("public", "Who sees it: public, or another word.")
        ),
        Parameter(name="tag", schema=text("ui", "Ideas that have this tag.")),
        _OWNER,
        _ASSIGNED,
    ],
    verbs=[
        Verb(name="promote", meaning="Take an idea into the backlog."),
        Verb(
            name="upvote",
            meaning="Vote for an idea; without a customer it is an anonymous vote.",
            members=_CUSTOMER,
            eg=_EG_CUSTOMER,
        ),
        Verb(
            name="downvote",
            meaning="Vote against an idea; without a customer it is an anonymous vote.",
            members=_CUSTOMER,
            eg=_EG_CUSTOMER,
        ),
        Verb(
            name="withdraw-vote",
            meaning="Take a customer's vote back; there is no event of it.",
            members=_CUSTOMER,
            eg=_EG_CUSTOMER,
            needed=["customer"],
        ),
    ],
)
IDEA_REQUESTS = Resource(
    name="ideaRequest",
    kind=IdeaRequests,
    # A request may make its customer, or a customer's request concern all of the customer's.
    locks_others=True,
    path="idea-requests",
    noun="idea request",
    settable=idea_requests.SETTABLE,
    needed=["title"],
    eg={"title": "Dark mode, please", "customer": "ana@example.com"},
    filters=[
        Parameter(name="status", schema=choice(RequestStatus, "Where they stand.")),
        Parameter(name="customer", schema=text("ana@example.com", "Who asked: e-mail or id.")),
        Parameter(
            name="idea", schema=text("649d2ac49c3a1954e6a2e421", "What they are attached to.")
        ),
    ],
    verbs=[
        Verb(
            name="attach",
            meaning="Make a new request part of an idea.",
            members={"idea": text("649d2ac49c3a1954e6a2e421", "The idea's id.")},
            eg={"idea": "649d2ac49c3a1954e6a2e421"},
            needed=["idea"],
        ),
        Verb(name="ignore", meaning="Set a new request aside for good."),
    ],
    is_fixed=True,
)
BACKLOG_ITEMS = Resource(
    name="backlogItem",
    kind=BacklogItems,
    path="backlog-items",
    noun="backlog item",
    settable=backlog_items.SETTABLE,
    needed=["title"],
    eg={"title": "Fix the login", "tags": [{"title": "bug"}]},
    filters=[
        Parameter(name="status", schema=text("In Progress", "One of the product's.")),
        _ASSIGNED,
        Parameter(
            name="idea", schema=text("649d2ac49c3a1954e6a2e421", "What they were promoted from.")
        ),
    ],
    verbs=[
        Verb(
            name="status",
            meaning="Move a backlog item to another of the product's statuses.",
            method="set_status",
            members={"status": text("In Progress", "One of the product's.")},
            eg={"status": "In Progress"},
            needed=["status"],
        )
    ],
)
OKRS = Resource(
    name="okr",
    kind=Okrs,
    path="okrs",
    noun="OKR",
    settable=okrs.SETTABLE,
    needed=["title"],
    eg={
        "title": "Make onboarding effortless",
        "keyResults": [{"title": "Activation", "startValue": 40, "targetValue": 60}],
    },
    filters=[_OWNER],
    verbs=[
        Verb(
            name="check-in",
            meaning="Note how far a key result has come.",
            members={
                "keyResult": text("649d2ac49c3a1954e6a2e421", "Its id, or a part of it."),
                "value": {"type": "number", "description": "The measure now."},
            },
            needed=["keyResult", "value"],
            eg={"keyResult": "649d2ac49c3a1954e6a2e421", "value": 52},
        )
    ],
)
ANNOUNCEMENTS = Resource(
    name="announcement",
    kind=Announcements,
    path="announcements",
    noun="announcement",
    settable=announcements.SETTABLE,
    needed=["title"],
    eg={"title": "Dark mode is here", "categories": [{"title": "New feature"}]},
    filters=[Parameter(name="status", schema=choice(AnnouncementStatus, "Who can read them."))],
    verbs=[
        Verb(name="publish", meaning="Let everybody read it; the event is that of an update."),
        Verb(name="unpublish", meaning="Take it back; the event is that of an update."),
    ],
)

#: What they are called in the API's document.
RESOURCES = {
    "Customers": CUSTOMERS,
    "Ideas": IDEAS,
    "Idea requests": IDEA_REQUESTS,
    "Backlog items": BACKLOG_ITEMS,
    "OKRs": OKRS,
    "Announcements": ANNOUNCEMENTS,
}


def add_to(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operations of all six."""
    for part, resource in RESOURCES.items():
        add(app, leanbe, resource, part=part)
