"""A set of sample documents: one of each resource, with references to each other."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from leanbe_emitter.ids import Ids
from leanbe_emitter.wire.payloads.declarations import DEFAULT_STATUSES
from leanbe_emitter.wire.samples.previous_payload import completed, created_at, known_documents
from leanbe_emitter.wire.samples.templates import (
    Creation,
    sample_announcement,
    sample_backlog_item,
    sample_customer,
    sample_idea,
    sample_idea_request,
    sample_okr,
)
from leanbe_emitter.wire.stringify import JSON

#: How long before ``now`` the first event happens.
_LAG = timedelta(milliseconds=200)
#: The time between two events.
_STEP = timedelta(milliseconds=5)

#: The age of a document whose creation is not one of the events.
_AGES = {
    "customer": timedelta(days=41, hours=2, minutes=12, milliseconds=314),
    "ideaRequest": timedelta(days=9, hours=3, minutes=17, milliseconds=411),
    "idea": timedelta(days=6, hours=1, minutes=44, milliseconds=685),
    "backlogItem": timedelta(days=2, hours=4, minutes=31, milliseconds=507),
    "okr": timedelta(days=30, hours=5, minutes=3, milliseconds=55),
    "announcement": timedelta(hours=3, minutes=26, milliseconds=466),
    "user": timedelta(days=200, hours=7, minutes=9, milliseconds=120),
}

#: The owner, for a product without one (contract b.0).
_OWNER = {"firstName": "Product Owner", "email": "owner@example.com"}
_ASSIGNED = {"firstName": "Zoë", "email": "zoe@example.com"}


class SampleDocuments:
    """One sample document of each resource, made at its first use.

    Args:
        product: ``_id`` and ``name`` of the product of all documents.
        ids: where new ids come from.
        now: an aware instant; no time in the documents is later.
        owner: ``_id``, ``firstName`` and ``email`` of the team member who owns the documents.
        statuses: the product's statuses of backlog items; empty for the default statuses.
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
        self._events = 0
        self._documents: dict[str, dict[str, JSON]] = {}
        self._fragments: dict[str, dict[str, JSON]] = {}

    def document(self, resource: str, *, is_new: bool = False) -> dict[str, JSON]:
        """Return the document of a resource; events change it in place.

        Args:
            resource: as events name it: ``ideaRequest``.
            is_new: whether a document that does not exist yet is created now.
        """
        if resource not in self._documents:
            at = self.next_instant() if is_new else self._now - _AGES[resource]
            known = self._fragments.get(resource, {})
            made = self._SAMPLES[resource](self, self._creation(known, at))
            self._documents[resource] = made | known
        return self._documents[resource]

    def next_instant(self) -> datetime:
        """Return the instant of the next event."""
        instant = self._now - _LAG + self._events * _STEP
        self._events += 1
        return min(instant, self._now)

    def continue_from(self, document: dict[str, JSON], resource: str) -> None:
        """Use a previous document for its resource, and its references for theirs."""
        self._owner = _object_or(document.get("owner"), self._owner)
        self._assigned = _object_or(document.get("assigned"), self._assigned)
        self._fragments = known_documents(document, resource)
        earlier = self._fragments[resource]
        self._documents[resource] = completed(earlier, self.document(resource), resource)

    # References to the documents.

    def customer_reference(self) -> dict[str, JSON]:
        """Return the reference to the customer in votes and requests."""
        return _reference(self.document("customer"), "_id", "firstName", "lastName", "email")

    def idea_reference(self) -> dict[str, JSON]:
        """Return the reference to the idea in requests and backlog items."""
        return _reference(self.document("idea"), "_id", "title")

    def _request_reference(self) -> dict[str, JSON]:
        request = self.document("ideaRequest")
        return {"id": request["_id"], "title": request["title"]}

    # The documents as they are created.

    def _user(self, user: Mapping[str, JSON]) -> dict[str, JSON]:
        return {"_id": self._ids.object_id(self._now - _AGES["user"]), **user}

    def _creation(self, known: Mapping[str, JSON], at: datetime) -> Creation:
        """Return id and instant of a document's creation; a known id tells the instant."""
        known_id = known.get("_id")
        if not isinstance(known_id, str):
            return Creation(id=self._ids.object_id(at), at=at)
        return Creation(id=known_id, at=min(created_at(known_id) or at, self._now))

    def _new_customer(self, creation: Creation) -> dict[str, JSON]:
        return sample_customer(creation, product=self._product, ids=self._ids)

    def _new_request(self, creation: Creation) -> dict[str, JSON]:
        return sample_idea_request(
            creation, product=self._product, customer=self.customer_reference()
        )

    def _new_idea(self, creation: Creation) -> dict[str, JSON]:
        return sample_idea(
            creation,
            product=self._product,
            owner=self._owner,
            assigned=self._assigned,
            request=self._request_reference(),
        )

    def _new_backlog_item(self, creation: Creation) -> dict[str, JSON]:
        return sample_backlog_item(
            creation,
            product=self._product,
            owner=self._owner,
            assigned=self._assigned,
            idea=self.idea_reference(),
            status=self.statuses[0],
        )

    def _new_okr(self, creation: Creation) -> dict[str, JSON]:
        return sample_okr(creation, product=self._product, owner=self._owner, ids=self._ids)

    def _new_announcement(self, creation: Creation) -> dict[str, JSON]:
        return sample_announcement(creation, product=self._product, owner=self._owner)

    _SAMPLES: ClassVar[Mapping[str, "Callable[[SampleDocuments, Creation], dict[str, JSON]]"]] = {
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
