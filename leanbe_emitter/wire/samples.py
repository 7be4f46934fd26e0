"""A story to take sample payloads from: one customer, one request, one idea and what becomes of it.

Whatever events a ``Story`` is asked for, they speak of the same documents; each event does to its
document what its name says, and doing it twice is doing it once. Chance and time are the caller's:
the same ``Ids`` and the same instant give the same bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Self, TypeAlias

from leanbe_emitter.ids import Ids
from leanbe_emitter.wire.catalogue import event_kind
from leanbe_emitter.wire.earlier import completed, fragments_of, second_of, votes_before, with_key
from leanbe_emitter.wire.instants import print_instant
from leanbe_emitter.wire.payloads import payload
from leanbe_emitter.wire.progress import key_result_progress, okr_progress
from leanbe_emitter.wire.reading import ARTICLE, Reading, VoteModel
from leanbe_emitter.wire.sample_documents import (
    DEFAULT_STATUSES,
    Birth,
    sample_announcement,
    sample_backlog_item,
    sample_customer,
    sample_idea,
    sample_idea_request,
    sample_okr,
)
from leanbe_emitter.wire.stringify import JSON

#: The 22 events in an order in which they could have happened.
STORY_ORDER: tuple[str, ...] = (
    "customer.created",
    "customer.updated",
    "ideaRequest.created",
    "idea.created",
    "ideaRequest.attachedToIdea",
    "ideaRequest.ignored",
    "idea.updated",
    "idea.upVoted",
    "idea.downVoted",
    "idea.promoted",
    "backlogItem.created",
    "backlogItem.updated",
    "backlogItem.statusChanged",
    "backlogItem.deleted",
    "okr.created",
    "okr.updated",
    "okr.deleted",
    "announcement.created",
    "announcement.updated",
    "announcement.deleted",
    "idea.deleted",
    "customer.deleted",
)

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

#: The status after the only one that a product has.
_OTHER_STATUS = "Done"
#: Beyond this, doubles no longer hold the half of a number.
_LARGEST_MEASURE = 2**52

_Effect: TypeAlias = "Callable[[Story, dict[str, JSON]], dict[str, JSON]]"


class Story:
    """One family of documents, and what happens to them.

    Args:
        product: ``_id`` and ``name`` of the product that all of it belongs to.
        ids: where new ids come from.
        now: an aware instant that nothing in the story is later than.
        owner: ``_id``, ``firstName`` and ``email`` of the team member who owns what is made.
        reading: whose switches the payloads follow (contract d-11, d-12, d-15, d-16, d-18, d-21,
            d-26).
        statuses: the product's list, for backlog items.
    """

    def __init__(  # noqa: PLR0913 - what a story is told of is the product's, the caller's, or time
        self,
        *,
        product: Mapping[str, JSON],
        ids: Ids,
        now: datetime,
        owner: Mapping[str, JSON] | None = None,
        reading: Reading = ARTICLE,
        statuses: Sequence[str] = DEFAULT_STATUSES,
    ) -> None:
        self._product = dict(product)
        self._ids = ids
        self._now = now.astimezone(UTC)
        self._reading = reading
        self._statuses = tuple(statuses) or DEFAULT_STATUSES
        self._owner = dict(owner) if owner is not None else self._user(_OWNER)
        self._assigned = self._user(_ASSIGNED)
        self._told = 0
        self._documents: dict[str, dict[str, JSON]] = {}
        self._fragments: dict[str, dict[str, JSON]] = {}
        self._votes: float = 0
        self._status: JSON = None
        self._changes: dict[str, list[JSON]] = {}

    @classmethod
    def about(  # noqa: PLR0913 - the arguments of a story, and the payload that it goes on from
        cls,
        document: Mapping[str, JSON],
        *,
        event: str,
        product: Mapping[str, JSON],
        ids: Ids,
        now: datetime,
        owner: Mapping[str, JSON] | None = None,
        reading: Reading = ARTICLE,
        statuses: Sequence[str] = DEFAULT_STATUSES,
    ) -> Self:
        """Return a story that goes on from an earlier payload: its ids, ``createdAt`` and values.

        What the payload does not hold is made up: all of it where the payload was only an id, else
        the required fields alone. Documents that it refers to are the story's, too.

        Args:
            document: the earlier payload, whatever it holds.
            event: the name of its event.
            product: as for a new story, and the same for the others below.
            ids: where ids come from that the payload does not hold.
            now: an aware instant.
            owner: whose the documents are that the payload does not hold.
            reading: whose switches the payloads follow.
            statuses: the product's list.

        Raises:
            InvalidValue: there is no such event; the hint names the nearest.
        """
        story = cls(
            product=product, ids=ids, now=now, owner=owner, reading=reading, statuses=statuses
        )
        story._go_on_from(deepcopy(dict(document)), event)
        return story

    def payload(self, event: str) -> dict[str, JSON]:
        """Return the payload of an event: ordered, complete, and the caller's to change.

        Raises:
            InvalidValue: there is no such event; the hint names the nearest.
        """
        kind = event_kind(event)
        document = self._document(kind.resource, is_new=kind.action == "created")
        earlier = deepcopy(document)
        self._touch(event, document)
        added = self._EFFECTS.get(event, Story._nothing)(self, document)
        if kind.action == "updated":
            added["changes"] = self._changed(event, earlier, document)
        return deepcopy(payload(event, self._keyed(document) | added, reading=self._reading))

    # What the story is made of.

    def _user(self, user: Mapping[str, JSON]) -> dict[str, JSON]:
        return {"_id": self._ids.object_id(self._now - _AGES["user"]), **user}

    def _document(self, resource: str, *, is_new: bool = False) -> dict[str, JSON]:
        if resource not in self._documents:
            at = self._next_instant() if is_new else self._now - _AGES[resource]
            known = self._fragments.get(resource, {})
            made = self._SAMPLES[resource](self, self._birth(known, at))
            self._documents[resource] = made | known
        return self._documents[resource]

    def _birth(self, known: Mapping[str, JSON], at: datetime) -> Birth:
        """Return when a document was created; where its id is known, the id says when."""
        known_id = known.get("_id")
        if not isinstance(known_id, str):
            return Birth(id=self._ids.object_id(at), at=at)
        return Birth(id=known_id, at=min(second_of(known_id) or at, self._now))

    def _next_instant(self) -> datetime:
        instant = self._now - _LAG + self._told * _STEP
        self._told += 1
        return min(instant, self._now)

    def _touch(self, event: str, document: dict[str, JSON]) -> None:
        """Move ``updatedAt`` on, as the event does (contract b.0, b.7, d-21)."""
        match event_kind(event).action:
            case "created":
                document["updatedAt"] = document["createdAt"]
            case "deleted":
                pass
            case "upVoted" | "downVoted" if not self._reading.vote_touches_updated_at:
                pass
            case _:
                document["updatedAt"] = self._later_than(document["createdAt"])

    def _later_than(self, created_at: JSON) -> str:
        now = print_instant(self._next_instant())
        return max(now, created_at) if isinstance(created_at, str) else now

    def _changed(
        self, event: str, earlier: Mapping[str, JSON], document: Mapping[str, JSON]
    ) -> list[JSON]:
        """Return what the update changed: of the first of its kind, where it comes again."""
        changes: list[JSON] = [
            {"field": name, "oldValue": earlier.get(name), "newValue": value}
            for name, value in document.items()
            if name != "updatedAt" and value != earlier.get(name)
        ]
        return self._changes.setdefault(event, changes)

    def _keyed(self, document: dict[str, JSON]) -> dict[str, JSON]:
        """Return the document with an idea's requests under the reading's key (contract d-11)."""
        key = self._reading.idea_request_ref_key.value
        if key == "id" or "ideaRequests" not in document:
            return document
        return document | {"ideaRequests": with_key(document["ideaRequests"], key)}

    def _go_on_from(self, document: dict[str, JSON], event: str) -> None:
        resource = event_kind(event).resource
        self._owner = _object_or(document.get("owner"), self._owner)
        self._assigned = _object_or(document.get("assigned"), self._assigned)
        self._fragments = fragments_of(document, resource)
        earlier = self._fragments[resource]
        self._documents[resource] = completed(earlier, self._document(resource), resource)
        self._votes = votes_before(event, document.get("upvotes"), self._reading.vote_model)

    # What others say of the documents.

    def _customer_reference(self) -> JSON:
        return _reference(self._document("customer"), "_id", "firstName", "lastName", "email")

    def _idea_reference(self) -> JSON:
        return _reference(self._document("idea"), "_id", "title")

    def _request_reference(self) -> JSON:
        request = self._document("ideaRequest")
        return {"id": request["_id"], "title": request["title"]}

    # What the events do: each returns what its payload says beyond the document.

    def _nothing(self, _: dict[str, JSON]) -> dict[str, JSON]:
        return {}

    def _renew(self, request: dict[str, JSON]) -> dict[str, JSON]:
        request["status"] = "new"
        request.pop("idea", None)
        return {}

    def _attach(self, request: dict[str, JSON]) -> dict[str, JSON]:
        request["status"] = "attached"
        request["idea"] = self._idea_reference()
        return {}

    def _ignore(self, request: dict[str, JSON]) -> dict[str, JSON]:
        request["status"] = "ignored"
        request.pop("idea", None)
        return {}

    def _update_idea(self, idea: dict[str, JSON]) -> dict[str, JSON]:
        _gain(idea, "tags", {"title": "quick win"})
        return {}

    def _promote(self, idea: dict[str, JSON]) -> dict[str, JSON]:
        idea["promoted"] = True
        return {}

    def _upvote(self, idea: dict[str, JSON]) -> dict[str, JSON]:
        idea["upvotes"] = self._votes + 1
        return {"customer": self._customer_reference()}

    def _downvote(self, idea: dict[str, JSON]) -> dict[str, JSON]:
        is_balance = self._reading.vote_model is VoteModel.NET
        idea["upvotes"] = self._votes - 1 if is_balance else self._votes
        return {"customer": self._customer_reference()}

    def _update_customer(self, customer: dict[str, JSON]) -> dict[str, JSON]:
        customer["confirmed"] = True
        _gain(customer, "notes", {"note": "Confirmed the e-mail, asked about the yearly plan."})
        return {}

    def _update_backlog_item(self, item: dict[str, JSON]) -> dict[str, JSON]:
        _gain(item, "tags", {"title": "groomed"})
        return {}

    def _change_status(self, item: dict[str, JSON]) -> dict[str, JSON]:
        if self._status is None:
            self._status = item["status"]
        item["status"] = self._status_after(self._status)
        return {"previousStatus": self._status}

    def _status_after(self, status: JSON) -> str:
        """Return the next status of the list; the first that is another, where there is no next."""
        at = self._statuses.index(status) + 1 if status in self._statuses else 0
        others = [each for each in self._statuses[at:] + self._statuses[:at] if each != status]
        return others[0] if others else _OTHER_STATUS

    def _check_in(self, okr: dict[str, JSON]) -> dict[str, JSON]:
        """Bring the first key result half of its way (contract b.5)."""
        results = okr.get("keyResults")
        if not isinstance(results, list) or not results or not all(map(_is_key_result, results)):
            return {}
        first = results[0]
        first["currentValue"] = (first["startValue"] + first["targetValue"]) // 2
        first["progress"] = key_result_progress(
            start=first["startValue"], current=first["currentValue"], target=first["targetValue"]
        )
        okr["progress"] = okr_progress([each["progress"] for each in results])
        return {}

    def _publish(self, announcement: dict[str, JSON]) -> dict[str, JSON]:
        if announcement.get("status") != "published":
            announcement["status"] = "published"
            announcement["publishedAt"] = announcement["updatedAt"]
        return {}

    _EFFECTS: ClassVar[Mapping[str, _Effect]] = {
        "ideaRequest.created": _renew,
        "ideaRequest.attachedToIdea": _attach,
        "ideaRequest.ignored": _ignore,
        "idea.updated": _update_idea,
        "idea.promoted": _promote,
        "idea.upVoted": _upvote,
        "idea.downVoted": _downvote,
        "customer.updated": _update_customer,
        "backlogItem.updated": _update_backlog_item,
        "backlogItem.statusChanged": _change_status,
        "okr.updated": _check_in,
        "announcement.updated": _publish,
    }

    # How each document begins.

    def _new_customer(self, birth: Birth) -> dict[str, JSON]:
        return sample_customer(birth, product=self._product, ids=self._ids)

    def _new_request(self, birth: Birth) -> dict[str, JSON]:
        return sample_idea_request(
            birth, product=self._product, customer=self._customer_reference()
        )

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
            idea=self._idea_reference(),
            status=self._statuses[0],
        )

    def _new_okr(self, birth: Birth) -> dict[str, JSON]:
        return sample_okr(birth, product=self._product, owner=self._owner, ids=self._ids)

    def _new_announcement(self, birth: Birth) -> dict[str, JSON]:
        return sample_announcement(birth, product=self._product, owner=self._owner)

    _SAMPLES: ClassVar[Mapping[str, "Callable[[Story, Birth], dict[str, JSON]]"]] = {
        "customer": _new_customer,
        "ideaRequest": _new_request,
        "idea": _new_idea,
        "backlogItem": _new_backlog_item,
        "okr": _new_okr,
        "announcement": _new_announcement,
    }


def _gain(document: dict[str, JSON], name: str, item: JSON) -> None:
    """Append the item to a list of the document, unless it is there."""
    items = document.get(name)
    if isinstance(items, list) and item not in items:
        document[name] = [*items, item]


def _reference(document: Mapping[str, JSON], *names: str) -> dict[str, JSON]:
    return {name: document[name] for name in names if name in document}


def _is_key_result(value: JSON) -> bool:
    names = ("startValue", "targetValue", "progress")
    return isinstance(value, dict) and all(_is_measure(value.get(name)) for name in names)


def _is_measure(value: JSON) -> bool:
    return isinstance(value, int | float) and abs(value) <= _LARGEST_MEASURE


def _object_or(value: JSON, otherwise: dict[str, JSON]) -> dict[str, JSON]:
    return value if isinstance(value, dict) else otherwise
