"""Planting: what a seed file says is made by the domain's actions, and none of them is told of.

An action's events are recorded by whoever began it; here, nobody does. Each document is made a
second after the one before it, the last of them a second before now: so lists are in the order of
the file, and what happens next comes behind all of it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from sqlalchemy.orm import Session

from leanbe_emitter.clock import Clock, ManualClock
from leanbe_emitter.domain import (
    announcements,
    backlog_items,
    customers,
    idea_requests,
    ideas,
    okrs,
    products,
    users,
    votes,
    webhooks,
)
from leanbe_emitter.domain.action import Action
from leanbe_emitter.errors import Conflict
from leanbe_emitter.seeds.content import Entry, Product, User
from leanbe_emitter.seeds.file import Seed
from leanbe_emitter.seeds.sections import FIXED_ID, SECTIONS, Section
from leanbe_emitter.storage.schema.states import RequestStatus, VoteDirection
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.strict_model import Path

#: How long after the one before it a document is made.
_APART: Final = timedelta(seconds=1)
_VOTES: Final = {"upvotedBy": VoteDirection.UP, "downvotedBy": VoteDirection.DOWN}


class Begin(Protocol):
    """Begins an action in the transaction of the planting."""

    def __call__(self, *, clock: Clock, given_ids: Sequence[str | None] = ()) -> Action:
        """Return an action at the clock's instant; the first documents of it have these ids."""


class Planter:
    """Plants a seed file in one transaction.

    Args:
        seed: what is planted.
        session: the transaction.
        begin: begins an action in it.
        now: the instant of the transaction.
    """

    def __init__(self, seed: Seed, session: Session, *, begin: Begin, now: datetime) -> None:
        self._seed = seed
        self._session = session
        self._begin = begin
        count = sum(_size(each) for each in seed.content.products)
        self._clock = ManualClock(now - (count + 1) * _APART)

    def plant(self) -> None:
        """Make all that the file has, in a database without products.

        Raises:
            LeanbeError: something that the domain refuses; the message begins with its place.
        """
        planted = [
            (self._product(product, ("products", number)), product, number)
            for number, product in enumerate(self._seed.content.products)
        ]
        for row, product, number in planted:
            self._documents(row, product, ("products", number))

    def replant(self, row: ProductRow) -> None:
        """Make what the file has of a product that is there and has nothing; settings stay.

        Raises:
            LeanbeError: as ``plant`` does.
        """
        for number, product in enumerate(self._seed.content.products):
            if product.name == row.name:
                self._documents(row, product, ("products", number))

    def _product(self, product: Product, at: Path) -> ProductRow:
        owner = product.owner
        with self._seed.blaming(at):
            action = self._next(product.id, None if owner is None else owner.id)
            row = products.create(
                action, product.name, owner=_person(owner), assume=product.assumptions
            )
        if product.statuses is not None:
            with self._seed.blaming((*at, "statuses")):
                products.set_statuses(action, row, product.statuses)
        if (webhook := product.webhook) is not None:
            with self._seed.blaming((*at, "webhook")):
                webhooks.set_url(action, row, webhook.url, **webhook.settings())
        for number, user in enumerate(product.users):
            with self._seed.blaming((*at, "users", number)):
                users.create(self._next(user.id), row, **_person(user))
        return row

    def _documents(self, row: ProductRow, product: Product, at: Path) -> None:
        making = _Making(row, self._session)
        for section in SECTIONS:
            for place, entry in enumerate(product.entries(section.attribute)):
                with self._seed.blaming((*at, section.name, place)):
                    action = self._next(*_ids(entry))
                    making.make(section, action, entry)
        self._session.flush()

    def _next(self, *given_ids: str | None) -> Action:
        self._clock.set(self._clock.now() + _APART)
        return self._begin(clock=self._clock, given_ids=given_ids)


class _Making:
    """Makes the documents of one product, and knows what they are called."""

    def __init__(self, product: ProductRow, session: Session) -> None:
        self._product = product
        self._session = session
        self._ids: dict[tuple[str, str], str] = {}

    def make(self, section: Section, action: Action, entry: Entry) -> None:
        """Make one document."""
        values = {name: value for name, value in entry.items() if name in section.settable}
        document_id = self._made(section.name, action, entry, values)
        for name in (entry.get(section.named_by), entry.get(FIXED_ID)):
            if name is not None:
                self._ids[section.name, name] = document_id

    def _made(self, section: str, action: Action, entry: Entry, values: Entry) -> str:
        """Make one document, and return its id."""
        match section:
            case "customers":
                return customers.create(action, self._product, values).id
            case "ideaRequests":
                return self._idea_request(action, entry, values)
            case "ideas":
                return self._idea(action, entry, values)
            case "backlogItems":
                return self._backlog_item(action, entry, values)
            case "okrs":
                return okrs.create(action, self._product, _without_ids(values)).id
            case _:
                return announcements.create(action, self._product, values).id

    def _idea_request(self, action: Action, entry: Entry, values: Entry) -> str:
        row = idea_requests.create(action, self._product, values)
        if entry.get("status") == RequestStatus.IGNORED:
            idea_requests.ignore(action, self._product, row)
        return row.id

    def _idea(self, action: Action, entry: Entry, values: Entry) -> str:
        named = [self._ids["ideaRequests", each] for each in entry.get("requests", [])]
        requests = idea_requests.get_all(self._session, self._product, named)
        row = ideas.create(action, self._product, values, requests=requests)
        for member, direction in _VOTES.items():
            for reference in entry.get(member, []):
                voter = customers.get(self._session, self._product, reference)
                votes.cast(action, self._product, row, direction, customer=voter)
        return row.id

    def _backlog_item(self, action: Action, entry: Entry, values: Entry) -> str:
        if entry.get("idea") is None:
            return backlog_items.create(action, self._product, values).id
        idea = ideas.get(self._session, self._product, self._ids["ideas", entry["idea"]])
        row = ideas.promote(action, self._product, idea)
        if row is None:
            raise Conflict(
                f"The product {self._product.name!r} makes no backlog item of a promoted idea.",
                hint="Leave idea out, or the assumption promote_creates_backlog_item.",
            )
        return backlog_items.edit(action, self._product, row, values).id


def _person(user: User | None) -> dict[str, str]:
    return {} if user is None else {"email": user.email, "first_name": user.first_name}


def _size(product: Product) -> int:
    documents = sum(len(product.entries(each.attribute)) for each in SECTIONS)
    return 1 + len(product.users) + documents


def _ids(entry: Entry) -> list[str | None]:
    """Return the ids that are fixed of a document, and of the key results in it."""
    return [entry.get(FIXED_ID), *(each.get(FIXED_ID) for each in entry.get("keyResults") or [])]


def _without_ids(values: Entry) -> Entry:
    """Return an OKR's values as those of a new one, whose key results are not there yet."""
    measured = [
        {name: value for name, value in each.items() if name != FIXED_ID}
        for each in values.get("keyResults") or []
    ]
    return {**values, "keyResults": measured}
