"""Declarations of the six resources: the fields that users set, filters of lists, and verbs.

The library, the API, the command line and seed files read them, so that each stands here only. The
shapes of documents (``resources.document_shape``) say which values a field takes. The library's
methods have typed signatures of their own; a test holds them to these declarations.

The defaults and the progress of OKRs stand at the end. Progress (contract b.5) rounds halves up;
Python's ``round`` does not.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import floor, isfinite
from typing import Final

from leanbe_emitter.wire.payloads.event_payloads import document_shape
from leanbe_emitter.wire.payloads.shapes import Field
from leanbe_emitter.wire.stringify import JSON

_CUSTOMER_ID: Final = "ana@example.com"
_IDEA_ID: Final = "649d2ac49c3a1954e6a2e421"
_STATUS: Final = "In Progress"
_USER_ID: Final = "bo@example.com"

#: The fields that refer to another object. Users name it by an id, an e-mail or a name.
REFERENCES: Final = ("owner", "assigned", "customer", "products")

_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@cache
def snake_case(name: str) -> str:
    """Return a member's name in Python and in columns: ``first_name`` for ``firstName``."""
    return _WORDS.sub("_", name).lower()


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A filter of a list.

    Attributes:
        name: its name; the field that it compares, or one entry of it (``tag`` of ``tags``).
        meaning: a sentence about its value.
        example: a value that is a text.
    """

    name: str
    meaning: str
    example: str = ""


@dataclass(frozen=True, kw_only=True)
class Argument:
    """An argument of a verb; a text unless its example is a number or a list.

    Attributes:
        name: its name, in camelCase.
        meaning: a sentence about its value.
        example: a value.
        is_required: whether the verb needs it.
    """

    name: str
    meaning: str
    example: JSON
    is_required: bool = True


@dataclass(frozen=True, kw_only=True)
class Input:
    """The arguments of a verb, or those of a new document that are no fields.

    Attributes:
        name: what they are together, as a type's name.
        meaning: the same as a sentence.
        arguments: the arguments.
    """

    name: str
    meaning: str
    arguments: Sequence[Argument] = ()

    @property
    def is_required(self) -> bool:
        """Whether one of the arguments is required."""
        return any(each.is_required for each in self.arguments)


#: The input of a verb without arguments.
NOTHING: Final = Input(name="NoMembers", meaning="An empty object.")


@dataclass(frozen=True, kw_only=True)
class Verb:
    """An action on one document, besides update and delete.

    Attributes:
        name: its name on the command line and, with underscores, in the library.
        about: a sentence about it, and more in a second paragraph.
        input: its arguments.
        path: its name in the API; by default the same.
    """

    name: str
    about: str
    input: Input = NOTHING
    path: str = ""

    @property
    def method(self) -> str:
        """Its name in the library."""
        return self.name.replace("-", "_")


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """The fields, filters and verbs of one kind of document.

    Attributes:
        name: one of ``resources.RESOURCES``.
        noun: the word for one document.
        settable: the fields that users set, by the document's names.
        key: the field that a new document needs, and that names it in seed files.
        filters: the filters of the list.
        verbs: further actions on one document.
        only_new: what a new document takes besides its fields.
        example: the fields of a new document.
        is_fixed: whether it can be neither changed nor deleted.
    """

    name: str
    noun: str
    settable: Sequence[str]
    example: Mapping[str, JSON]
    key: str = "title"
    filters: Sequence[Filter] = ()
    verbs: Sequence[Verb] = ()
    only_new: Input = NOTHING
    is_fixed: bool = False

    @property
    def plural(self) -> str:
        """The word for several documents."""
        return f"{self.noun}s"

    @property
    def path(self) -> str:
        """Their path below the product's in the API: ``idea-requests``."""
        return self.plural.lower().replace(" ", "-")

    @property
    def collection(self) -> str:
        """Their attribute of a product in the library: ``idea_requests``."""
        return self.path.replace("-", "_")

    def filtered(self, name: str) -> Field | None:
        """Return the field that a filter compares, whole or one of its entries."""
        shape = document_shape(self.name)
        return shape.field(name) or shape.field(f"{name}s")

    def verb(self, name: str) -> Verb:
        """Return the verb of a name."""
        return next(each for each in self.verbs if each.name == name)


_CUSTOMER = Argument(name="customer", meaning="E-mail or id of the customer.", example=_CUSTOMER_ID)
_VOTER = replace(
    _CUSTOMER,
    meaning="E-mail or id of the customer; without it, the vote is anonymous.",
    is_required=False,
)
_VOTE = Input(name="Vote", meaning="A vote.", arguments=[_VOTER])
_OWNER = Filter(name="owner", meaning="E-mail or id of the owner.", example=_USER_ID)
_ASSIGNED = Filter(name="assigned", meaning="E-mail or id of the assigned user.", example=_USER_ID)

CUSTOMER: Final = Declaration(
    name="customer",
    noun="customer",
    settable=(
        *("firstName", "lastName", "email", "phone", "state", "city", "addressLine1"),
        *("addressLine2", "zipcode", "country", "company", "image", "gender", "source", "type"),
        *("confirmed", "products", "bgColor", "isTemporary", "devices", "billing_details", "notes"),
    ),
    key="email",
    example={"email": _CUSTOMER_ID, "firstName": "Ana", "company": {"jobTitle": "CTO"}},
    filters=[
        Filter(name="email", meaning="E-mail address of the customer.", example=_CUSTOMER_ID),
        Filter(name="confirmed", meaning="Whether the e-mail address was verified."),
    ],
    verbs=[Verb(name="confirm", about="Mark a customer's e-mail address as verified.")],
)
IDEA: Final = Declaration(
    name="idea",
    noun="idea",
    settable=(
        *("owner", "assigned", "title", "description", "descriptionHTML", "tags", "visibility"),
        "archived",
    ),
    example={"title": "Dark mode", "tags": [{"title": "ui"}]},
    filters=[
        Filter(name="promoted", meaning="Whether the idea was promoted to the backlog."),
        Filter(name="archived", meaning="Whether the idea is archived."),
        Filter(
            name="visibility", meaning="Visibility: `public`, or another word.", example="public"
        ),
        Filter(name="tag", meaning="Title of a tag.", example="ui"),
        _OWNER,
        _ASSIGNED,
    ],
    verbs=[
        Verb(
            name="promote", about="Promote an idea to the backlog.\n\nThis creates a backlog item."
        ),
        Verb(
            name="upvote",
            about="Vote for an idea.\n\nA downvote of the same customer becomes an upvote.",
            input=_VOTE,
        ),
        Verb(
            name="downvote",
            about="Vote against an idea.\n\nAn upvote of the same customer becomes a downvote.",
            input=_VOTE,
        ),
        Verb(
            name="withdraw-vote",
            about="Withdraw a customer's vote.\n\nLeanbe has no event for it.",
            input=Input(
                name="Withdrawal", meaning="The withdrawal of a vote.", arguments=[_CUSTOMER]
            ),
        ),
    ],
    only_new=Input(
        name="NewIdeaRequests",
        meaning="Idea requests of a new idea.",
        arguments=[
            Argument(
                name="requests",
                meaning="Ids of new idea requests to attach to the idea.",
                example=[],
                is_required=False,
            )
        ],
    ),
)
IDEA_REQUEST: Final = Declaration(
    name="ideaRequest",
    noun="idea request",
    settable=("customer", "title", "description", "descriptionHTML", "source"),
    example={"title": "Dark mode, please", "customer": _CUSTOMER_ID},
    filters=[
        Filter(name="status", meaning="Status of the request."),
        Filter(name="customer", meaning="E-mail or id of the customer.", example=_CUSTOMER_ID),
        Filter(
            name="idea",
            meaning="Id of the idea to which the request is attached.",
            example=_IDEA_ID,
        ),
    ],
    verbs=[
        Verb(
            name="attach",
            about="Attach a new idea request to an idea.",
            input=Input(
                name="Attachment",
                meaning="The attachment of an idea request to an idea.",
                arguments=[Argument(name="idea", meaning="Id of the idea.", example=_IDEA_ID)],
            ),
        ),
        Verb(name="ignore", about="Ignore a new idea request, for good."),
    ],
    is_fixed=True,
)
BACKLOG_ITEM: Final = Declaration(
    name="backlogItem",
    noun="backlog item",
    settable=("owner", "assigned", "title", "description", "descriptionHTML", "tags", "status"),
    example={"title": "Fix the login", "tags": [{"title": "bug"}]},
    filters=[
        Filter(name="status", meaning="One of the product's statuses.", example=_STATUS),
        _ASSIGNED,
        Filter(name="idea", meaning="Id of the idea that was promoted.", example=_IDEA_ID),
    ],
    verbs=[
        Verb(
            name="set-status",
            path="status",
            about="Give a backlog item another status of the product.",
            input=Input(
                name="StatusChange",
                meaning="The change of a backlog item's status.",
                arguments=[
                    Argument(
                        name="status", meaning="One of the product's statuses.", example=_STATUS
                    )
                ],
            ),
        )
    ],
)
OKR: Final = Declaration(
    name="okr",
    noun="OKR",
    settable=("owner", "title", "description", "startDate", "endDate", "keyResults"),
    example={
        "title": "Make onboarding effortless",
        "keyResults": [{"title": "Activation", "startValue": 40, "targetValue": 60}],
    },
    filters=[_OWNER],
    verbs=[
        Verb(
            name="check-in",
            about="Record the present value of a key result.\n\nLeanbe computes the progress.",
            input=Input(
                name="CheckIn",
                meaning="The present value of a key result.",
                arguments=[
                    Argument(
                        name="keyResult", meaning="Title or id of the key result.", example=_IDEA_ID
                    ),
                    Argument(name="value", meaning="The present value.", example=52),
                ],
            ),
        )
    ],
)
ANNOUNCEMENT: Final = Declaration(
    name="announcement",
    noun="announcement",
    settable=("owner", "title", "description", "descriptionHTML", "categories", "status"),
    example={"title": "Dark mode is here", "categories": [{"title": "New feature"}]},
    filters=[Filter(name="status", meaning="Status of the announcement.")],
    verbs=[
        Verb(
            name="publish", about="Publish an announcement.\n\nThe event is announcement.updated."
        ),
        Verb(
            name="unpublish",
            about="Make an announcement a draft again.\n\nThe event is announcement.updated.",
        ),
    ],
)

#: All declarations, in the order of the API's operations.
DECLARATIONS: Final = (CUSTOMER, IDEA, IDEA_REQUEST, BACKLOG_ITEM, OKR, ANNOUNCEMENT)


#: The statuses of backlog items, in order, for a product without its own list.
DEFAULT_STATUSES = ("To Do", "In Progress", "In Review", "Done")

_WHOLE = 100


def key_result_progress(*, start: float, current: float, target: float) -> int:
    """Return how far a measure has come from its start to its target, in percent, 0 to 100.

    If start and target are equal, the progress is 100 from the target on, and 0 below it.
    """
    if target == start:
        return _WHOLE if current >= target else 0
    percent = _WHOLE * (current - start) / (target - start)
    if isfinite(percent):
        return max(0, min(_WHOLE, _rounded(percent)))
    # The difference exceeds a double. Fractions are exact and slower.
    way, done = Fraction(target) - Fraction(start), Fraction(current) - Fraction(start)
    return max(0, min(_WHOLE, floor(_WHOLE * done / way + Fraction(1, 2))))


def okr_progress(key_results: Sequence[int]) -> int:
    """Return the mean of the key results' progress, in percent; 0 without key results."""
    return _rounded(sum(key_results) / len(key_results)) if key_results else 0


def _rounded(value: float) -> int:
    return floor(value + 0.5)
