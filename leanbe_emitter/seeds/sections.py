"""The kinds of documents that a product of a seed file has, in the order in which they are made.

What one refers to is of a kind before its own, or of its own product: a user or a customer by
e-mail, a request or an idea by its title, each of them also by an ``_id`` that the file fixes.
"""

from collections.abc import Callable, Mapping, Sequence
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
from leanbe_emitter.wire.stringify import JSON

#: The member that fixes a document's id.
FIXED_ID: Final = "_id"


@dataclass(frozen=True, kw_only=True)
class Refers:
    """What a member refers to.

    Attributes:
        to: a section, or ``users`` or ``products``.
        is_list: whether it names any number of them.
        may_be_new: whether an e-mail may be that of somebody who is made by this.
    """

    to: str
    is_list: bool = False
    may_be_new: bool = False


@dataclass(frozen=True, kw_only=True)
class Section:
    """One kind of documents.

    Attributes:
        name: what it is called in the file.
        resource: one of ``wire.payloads.RESOURCES``.
        settable: what the domain takes for a new one.
        named_by: the member that names one.
        choices: members that only a seed file has, with the values that they can have.
        refers: members that refer to something else.
        instead: what to write instead of members of the document that follow from others.
        prepared: returns a document's values as the domain checks them.
    """

    name: str
    resource: str
    settable: Sequence[str]
    named_by: str = "title"
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    refers: Mapping[str, Refers] = field(default_factory=dict)
    instead: Mapping[str, str] = field(default_factory=dict)
    prepared: Callable[[Mapping[str, JSON]], Mapping[str, JSON]] = dict

    @property
    def attribute(self) -> str:
        """Return what a product's model calls it."""
        return column_of(self.name)

    @property
    def members(self) -> list[str]:
        """Return all that a document of this kind may have in a seed file."""
        return list(dict.fromkeys([FIXED_ID, *self.settable, *self.choices, *self.refers]))


_OWNER: Final = {"owner": Refers(to="users")}
_PEOPLE: Final = {**_OWNER, "assigned": Refers(to="users")}

SECTIONS: Final = (
    Section(
        name="customers",
        resource="customer",
        settable=customers.SETTABLE,
        named_by="email",
        refers={"products": Refers(to="products", is_list=True)},
    ),
    Section(
        name="ideaRequests",
        resource="ideaRequest",
        settable=idea_requests.SETTABLE,
        # What is attached, its idea says.
        choices={"status": ("new", "ignored")},
        refers={"customer": Refers(to="customers", may_be_new=True)},
    ),
    Section(
        name="ideas",
        resource="idea",
        settable=ideas.SETTABLE,
        refers={
            **_PEOPLE,
            "requests": Refers(to="ideaRequests", is_list=True),
            "upvotedBy": Refers(to="customers", is_list=True),
            "downvotedBy": Refers(to="customers", is_list=True),
        },
        instead={
            "promoted": "A backlog item that names it as its idea promotes it.",
            "upvotes": "Name who votes: upvotedBy is a list of customers.",
            "ideaRequests": "Name them in requests.",
        },
    ),
    Section(
        name="backlogItems",
        resource="backlogItem",
        settable=backlog_items.SETTABLE,
        refers={**_PEOPLE, "idea": Refers(to="ideas")},
    ),
    Section(
        name="okrs", resource="okr", settable=okrs.SETTABLE, refers=_OWNER, prepared=okrs.with_instants
    ),
    Section(
        name="announcements",
        resource="announcement",
        settable=announcements.SETTABLE,
        refers=_OWNER,
    ),
)
