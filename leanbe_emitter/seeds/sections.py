"""The sections of a product in a seed file: its kinds of documents, in the order of planting.

A document refers to documents of earlier sections, or of its own product: to a user or a customer
by e-mail, to a request or an idea by its title, and to each of them also by a fixed ``_id``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic.alias_generators import to_camel

from leanbe_emitter.wire.payloads.declarations import (
    ANNOUNCEMENT,
    BACKLOG_ITEM,
    CUSTOMER,
    IDEA,
    IDEA_REQUEST,
    OKR,
    Declaration,
)

#: The member that fixes a document's id.
FIXED_ID: Final = "_id"


@dataclass(frozen=True, kw_only=True)
class Section:
    """One kind of documents.

    Attributes:
        resource: what users can do with them.
        choices: members that only a seed file has, with their possible values.
        names: members that only a seed file has, and that name other documents.
        instead: members of documents that follow from others, with what to write instead.
    """

    resource: Declaration
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    names: Sequence[str] = ()
    instead: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the section's name in the file."""
        return to_camel(self.resource.collection)

    @property
    def members(self) -> list[str]:
        """Return all members that a document may have in a seed file."""
        return [FIXED_ID, *self.resource.settable, *self.choices, *self.names]


SECTIONS: Final = (
    Section(resource=CUSTOMER),
    # An idea names the requests that are attached to it.
    Section(resource=IDEA_REQUEST, choices={"status": ("new", "ignored")}),
    Section(
        resource=IDEA,
        names=("requests", "upvotedBy", "downvotedBy"),
        instead={
            "promoted": "A backlog item that names the idea promotes it.",
            "upvotes": "Name the voters: upvotedBy is a list of customers.",
            "ideaRequests": "Name them in requests.",
        },
    ),
    Section(resource=BACKLOG_ITEM, names=("idea",)),
    Section(resource=OKR),
    Section(resource=ANNOUNCEMENT),
)
