"""The sections of a product in a seed file: its kinds of documents, in the order of planting.

A document refers to documents of earlier sections, or of its own product: to a user or a customer
by e-mail, to a request or an idea by its title, and to each of them also by a fixed ``_id``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from leanbe_emitter.domain import (
    announcements,
    backlog_items,
    customers,
    idea_requests,
    ideas,
    okrs,
)
from leanbe_emitter.domain.document_values import column_of

#: The member that fixes a document's id.
FIXED_ID: Final = "_id"


@dataclass(frozen=True, kw_only=True)
class Section:
    """One kind of documents.

    Attributes:
        name: the section's name in the file.
        settable: the members that the domain accepts for a new document.
        named_by: the member by which others refer to a document.
        choices: members that only a seed file has, with their possible values.
        refers: members that refer to other documents.
        instead: members of documents that follow from others, with what to write instead.
    """

    name: str
    settable: Sequence[str]
    named_by: str = "title"
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    refers: Sequence[str] = ()
    instead: Mapping[str, str] = field(default_factory=dict)

    @property
    def attribute(self) -> str:
        """Return the section's attribute in ``content.Product``."""
        return column_of(self.name)

    @property
    def members(self) -> list[str]:
        """Return all members that a document may have in a seed file."""
        return list(dict.fromkeys([FIXED_ID, *self.settable, *self.choices, *self.refers]))


SECTIONS: Final = (
    Section(name="customers", settable=customers.SETTABLE, named_by="email", refers=("products",)),
    Section(
        name="ideaRequests",
        settable=idea_requests.SETTABLE,
        # An idea names the requests that are attached to it.
        choices={"status": ("new", "ignored")},
        refers=("customer",),
    ),
    Section(
        name="ideas",
        settable=ideas.SETTABLE,
        refers=("owner", "assigned", "requests", "upvotedBy", "downvotedBy"),
        instead={
            "promoted": "A backlog item that names the idea promotes it.",
            "upvotes": "Name the voters: upvotedBy is a list of customers.",
            "ideaRequests": "Name them in requests.",
        },
    ),
    Section(
        name="backlogItems", settable=backlog_items.SETTABLE, refers=("owner", "assigned", "idea")
    ),
    Section(name="okrs", settable=okrs.SETTABLE, refers=("owner",)),
    Section(name="announcements", settable=announcements.SETTABLE, refers=("owner",)),
)
