"""A family of sample documents: one of each resource, which speak of one another."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from leanbe_emitter.ids import Ids
from leanbe_emitter.wire.payloads.statuses import DEFAULT_STATUSES
from leanbe_emitter.wire.samples.documents import (
    Birth,
    sample_announcement,
    sample_backlog_item,
    sample_customer,
    sample_idea,
    sample_idea_request,
    sample_okr,
)
from leanbe_emitter.wire.samples.earlier_payload import completed, fragments_of, second_of
from leanbe_emitter.wire.stringify import JSON

#: How long before the story's instant a document is created whose creation is told first.
_LAG = timedelta(milliseconds=200)
#: How much later each thing happens that the story tells.
_STEP = timedelta(milliseconds=5)

#: How old a document is that the story finds there.
_AGES = {
    "customer": timedelta(days=41, hours=2, minutes=12, milliseconds=314),
    "ideaRequest": timedelta(days=9, hours=3, minutes=17, milliseconds=411),
    "idea": timedelta(days=6, hours=1, minutes=44, milliseconds=685),
    "backlogItem": timedelta(days=2, hours=4, minutes=31, milliseconds=507),
    "okr": timedelta(days=30, hours=5, minutes=3, milliseconds=55),
    "announcement": timedelta(hours=3, minutes=26, milliseconds=466),
    "user": timedelta(days=200, hours=7, minutes=9, milliseconds=120),
}

#: The owner of a product that named none (contract b.0).
_OWNER = {"firstName": "Product Owner", "email": "owner@example.com"}
_ASSIGNED = {"firstName": "Zoë", "email": "zoe@example.com"}


class Family:
    """The documents of one story: each is made when it is first asked for, and stays the same one.

    Args:
        product: ``_id`` and ``name`` of the product that all of them belong to.
        ids: where new ids come from.
        now: an aware instant that nothing is later than.
        owner: ``_id``, ``firstName`` and ``email`` of the team member who owns what is made.
        statuses: the product's list, for backlog items; an empty one is the list of a product that
            has none of its own.
    """

    def __init__(
        self,
        *,
        product: Mapping[str, JSON],
        ids: Ids,
        now: datetime,
        owner: Mapping[str, JSON] | None,
        statuses: Sequence[str],
    ) -> None:
        self.statuses = tuple(statuses) or DEFAULT_STATUSES
        self._product = dict(product)
        self._ids = ids
        self._now = now.astimezone(UTC)
        self._owner = dict(owner) if owner is not None else self._user(_OWNER)
        self._assigned = self._user(_ASSIGNED)
        self._told = 0
        self._documents: dict[str, dict[str, JSON]] = {}
        self._fragments: dict[str, dict[str, JSON]] = {}

    def document(self, resource: str, *, is_new: bool = False) -> dict[str, JSON]:
        """Return the document of a resource, which is the story's to change.

        Args:
            resource: as events name it: ``ideaRequest``.
            is_new: whether it is created now, if it is not there yet.
        """
        if resource not in self._documents:
            at = self.next_instant() if is_new else self._now - _AGES[resource]
            known = self._fragments.get(resource, {})
            made = self._SAMPLES[resource](self, self._birth(known, at))
            self._documents[resource] = made | known
        return self._documents[resource]

    def next_instant(self) -> datetime:
        """Return when the next thing happens."""
        instant = self._now - _LAG + self._told * _STEP
        self._told += 1
        return min(instant, self._now)

    def go_on_from(self, document: dict[str, JSON], resource: str) -> None:
        """Take an earlier document for its resource's, and what it refers to for theirs."""
        self._owner = _object_or(document.get("owner"), self._owner)
        self._assigned = _object_or(document.get("assigned"), self._assigned)
        self._fragments = fragments_of(document, resource)
        earlier = self._fragments[resource]
        self._documents[resource] = completed(earlier, self.document(resource), resource)

    # What others say of the documents.

    def customer_reference(self) -> dict[str, JSON]:
        """Return the customer as ideas and requests speak of one."""
        return _reference(self.document("customer"), "_id", "firstName", "lastName", "email")

    def idea_reference(self) -> dict[str, JSON]:
        """Return the idea as requests and backlog items speak of one."""
        return _reference(self.document("idea"), "_id", "title")

    def _request_reference(self) -> dict[str, JSON]:
        request = self.document("ideaRequest")
        return {"id": request["_id"], "title": request["title"]}

    # How each document begins.

    def _user(self, user: Mapping[str, JSON]) -> dict[str, JSON]:
        return {"_id": self._ids.object_id(self._now - _AGES["user"]), **user}

    def _birth(self, known: Mapping[str, JSON], at: datetime) -> Birth:
        """Return when a document was created; where its id is known, the id says when."""
        known_id = known.get("_id")
        if not isinstance(known_id, str):
            return Birth(id=self._ids.object_id(at), at=at)
        return Birth(id=known_id, at=min(second_of(known_id) or at, self._now))

    def _new_customer(self, birth: Birth) -> dict[str, JSON]:
        return sample_customer(birth, product=self._product, ids=self._ids)

    def _new_request(self, birth: Birth) -> dict[str, JSON]:
        return sample_idea_request(birth, product=self._product, customer=self.customer_reference())

    def _new_idea(self, birth: Birth) -> dict[str, JSON]:
        return sample_idea(
            birth,
            product=self._product,
            owner=self._owner,
            assigned=self._assigned,
            request=self._request_reference(),
        )

    def _new_backlog_item(self, birth: Birth) -> dict[str, JSON]:
        return sample_backlog_item(
            birth,
            product=self._product,
            owner=self._owner,
            assigned=self._assigned,
            idea=self.idea_reference(),
            status=self.statuses[0],
        )

    def _new_okr(self, birth: Birth) -> dict[str, JSON]:
        return sample_okr(birth, product=self._product, owner=self._owner, ids=self._ids)

    def _new_announcement(self, birth: Birth) -> dict[str, JSON]:
        return sample_announcement(birth, product=self._product, owner=self._owner)

    _SAMPLES: ClassVar[Mapping[str, "Callable[[Family, Birth], dict[str, JSON]]"]] = {
        "customer": _new_customer,
        "ideaRequest": _new_request,
        "idea": _new_idea,
        "backlogItem": _new_backlog_item,
        "okr": _new_okr,
        "announcement": _new_announcement,
    }


def _reference(document: Mapping[str, JSON], *names: str) -> dict[str, JSON]:
    return {name: document[name] for name in names if name in document}


def _object_or(value: JSON, otherwise: dict[str, JSON]) -> dict[str, JSON]:
    return value if isinstance(value, dict) else otherwise
