"""Sample payloads that belong together: one customer, one request, one idea and what becomes of it.

All payloads of one ``SamplePayloads`` speak of the same documents. Each event changes its document
as its name says; the same event again changes nothing more. The caller gives ids and time: the same
``Ids`` and the same instant give the same bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from typing import ClassVar, Self, TypeAlias

from leanbe_emitter.ids import Ids
from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE, AssumptionSet, VoteModel
from leanbe_emitter.wire.event_names import event_kind
from leanbe_emitter.wire.instants import print_instant
from leanbe_emitter.wire.payloads.declarations import (
    DEFAULT_STATUSES,
    key_result_progress,
    okr_progress,
)
from leanbe_emitter.wire.payloads.event_payloads import payload
from leanbe_emitter.wire.samples.previous_payload import votes_before, with_request_key
from leanbe_emitter.wire.samples.sample_documents import SampleDocuments
from leanbe_emitter.wire.stringify import JSON

#: The 22 events in an order in which they can happen to one set of documents.
LIFECYCLE_ORDER: tuple[str, ...] = (
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

#: The next status, where the product has only one.
_OTHER_STATUS = "Done"
#: Above this, a double no longer holds half of every integer.
_LARGEST_MEASURE = 2**52

_Effect: TypeAlias = "Callable[[SamplePayloads, dict[str, JSON]], dict[str, JSON]]"


class SamplePayloads:
    """Payloads of one set of sample documents, one for each event that is asked for.

    Args:
        product: ``_id`` and ``name`` of the product of all documents.
        ids: where new ids come from.
        now: an aware instant; no time in the payloads is later.
        owner: ``_id``, ``firstName`` and ``email`` of the team member who owns the documents.
        assumptions: the product's; they shape the payloads (contract d-11, d-12, d-15, d-16, d-18,
            d-21, d-26).
        statuses: the product's statuses of backlog items.
    """

    def __init__(  # noqa: PLR0913 - facts of the product, the source of ids, and the time
        self,
        *,
        product: Mapping[str, JSON],
        ids: Ids,
        now: datetime,
        owner: Mapping[str, JSON] | None = None,
        assumptions: AssumptionSet = ARTICLE,
        statuses: Sequence[str] = DEFAULT_STATUSES,
    ) -> None:
        self._documents = SampleDocuments(
            product=product, ids=ids, now=now, owner=owner, statuses=statuses
        )
        self._assumptions = assumptions
        self._votes: float = 0
        self._status: JSON = None
        self._changes: dict[str, list[JSON]] = {}

    @classmethod
    def continuing(  # noqa: PLR0913 - the constructor's arguments, and the payload to continue
        cls,
        document: Mapping[str, JSON],
        *,
        event: str,
        product: Mapping[str, JSON],
        ids: Ids,
        now: datetime,
        owner: Mapping[str, JSON] | None = None,
        assumptions: AssumptionSet = ARTICLE,
        statuses: Sequence[str] = DEFAULT_STATUSES,
    ) -> Self:
        """Return samples that continue a previous payload: with its ids, ``createdAt`` and values.

        They invent what the payload does not hold: everything if the payload is only an id, else
        the required fields alone. Documents that the payload refers to are continued, too.

        Args:
            document: the previous payload, with any content.
            event: the name of its event.
            product: as for the constructor, like the arguments below.
            ids: the source of the ids that the payload does not hold.
            now: an aware instant.
            owner: the owner of the documents that the payload does not hold.
            assumptions: the product's.
            statuses: the product's statuses of backlog items.

        Raises:
            InvalidValue: there is no such event; the hint names the nearest.
        """
        samples = cls(
            product=product,
            ids=ids,
            now=now,
            owner=owner,
            assumptions=assumptions,
            statuses=statuses,
        )
        samples._documents.continue_from(deepcopy(dict(document)), event_kind(event).resource)
        samples._votes = votes_before(event, document.get("upvotes"), assumptions.vote_model)
        return samples

    def payload(self, event: str) -> dict[str, JSON]:
        """Return the payload of an event: ordered, complete, and a copy that the caller may change.

        Raises:
            InvalidValue: there is no such event; the hint names the nearest.
        """
        kind = event_kind(event)
        document = self._documents.document(kind.resource, is_new=kind.action == "created")
        earlier = deepcopy(document)
        self._set_updated_at(event, document)
        added = self._EFFECTS.get(event, SamplePayloads._nothing)(self, document)
        if kind.action == "updated":
            added["changes"] = self._changed(event, earlier, document)
        return deepcopy(
            payload(event, self._with_assumed_key(document) | added, assumptions=self._assumptions)
        )

    def _set_updated_at(self, event: str, document: dict[str, JSON]) -> None:
        """Set ``updatedAt`` as the event does (contract b.0, b.7, d-21)."""
        match event_kind(event).action:
            case "created":
                document["updatedAt"] = document["createdAt"]
            case "deleted":
                pass
            case "upVoted" | "downVoted" if not self._assumptions.vote_touches_updated_at:
                pass
            case _:
                document["updatedAt"] = self._later_than(document["createdAt"])

    def _later_than(self, created_at: JSON) -> str:
        now = print_instant(self._documents.next_instant())
        return max(now, created_at) if isinstance(created_at, str) else now

    def _changed(
        self, event: str, earlier: Mapping[str, JSON], document: Mapping[str, JSON]
    ) -> list[JSON]:
        """Return the changes of an update; for a repeated event, those of the first time."""
        changes: list[JSON] = [
            {"field": name, "oldValue": earlier.get(name), "newValue": value}
            for name, value in document.items()
            if name != "updatedAt" and value != earlier.get(name)
        ]
        return self._changes.setdefault(event, changes)

    def _with_assumed_key(self, document: dict[str, JSON]) -> dict[str, JSON]:
        """Return the document, with an idea's requests under the assumed key (contract d-11)."""
        key = self._assumptions.idea_request_ref_key.value
        if key == "id" or "ideaRequests" not in document:
            return document
        return document | {"ideaRequests": with_request_key(document["ideaRequests"], key)}

    # The effects of events. Each returns the members that its payload adds to the document.

    def _nothing(self, _: dict[str, JSON]) -> dict[str, JSON]:
        return {}

    def _reset_request(self, request: dict[str, JSON]) -> dict[str, JSON]:
        return _detach(request, status="new")

    def _attach(self, request: dict[str, JSON]) -> dict[str, JSON]:
        request["status"] = "attached"
        request["idea"] = self._documents.idea_reference()
        return {}

    def _ignore(self, request: dict[str, JSON]) -> dict[str, JSON]:
        return _detach(request, status="ignored")

    def _update_idea(self, idea: dict[str, JSON]) -> dict[str, JSON]:
        _append_once(idea, "tags", {"title": "quick win"})
        return {}

    def _promote(self, idea: dict[str, JSON]) -> dict[str, JSON]:
        idea["promoted"] = True
        return {}

    def _upvote(self, idea: dict[str, JSON]) -> dict[str, JSON]:
        idea["upvotes"] = self._votes + 1
        return {"customer": self._documents.customer_reference()}

    def _downvote(self, idea: dict[str, JSON]) -> dict[str, JSON]:
        is_balance = self._assumptions.vote_model is VoteModel.NET
        idea["upvotes"] = self._votes - 1 if is_balance else self._votes
        return {"customer": self._documents.customer_reference()}

    def _update_customer(self, customer: dict[str, JSON]) -> dict[str, JSON]:
        customer["confirmed"] = True
        _append_once(
            customer, "notes", {"note": "Confirmed the e-mail, asked about the yearly plan."}
        )
        return {}

    def _update_backlog_item(self, item: dict[str, JSON]) -> dict[str, JSON]:
        _append_once(item, "tags", {"title": "groomed"})
        return {}

    def _change_status(self, item: dict[str, JSON]) -> dict[str, JSON]:
        if self._status is None:
            self._status = item["status"]
        item["status"] = self._status_after(self._status)
        return {"previousStatus": self._status}

    def _status_after(self, status: JSON) -> str:
        """Return the next status of the list; after the last one, the first that differs."""
        statuses = self._documents.statuses
        at = statuses.index(status) + 1 if status in statuses else 0
        others = [each for each in statuses[at:] + statuses[:at] if each != status]
        return others[0] if others else _OTHER_STATUS

    def _update_okr(self, okr: dict[str, JSON]) -> dict[str, JSON]:
        """Move the first key result half-way to its target (contract b.5)."""
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
        "ideaRequest.created": _reset_request,
        "ideaRequest.attachedToIdea": _attach,
        "ideaRequest.ignored": _ignore,
        "idea.updated": _update_idea,
        "idea.promoted": _promote,
        "idea.upVoted": _upvote,
        "idea.downVoted": _downvote,
        "customer.updated": _update_customer,
        "backlogItem.updated": _update_backlog_item,
        "backlogItem.statusChanged": _change_status,
        "okr.updated": _update_okr,
        "announcement.updated": _publish,
    }


def _detach(request: dict[str, JSON], *, status: str) -> dict[str, JSON]:
    request["status"] = status
    request.pop("idea", None)
    return {}


def _append_once(document: dict[str, JSON], name: str, item: JSON) -> None:
    """Append the item to a list of the document, if the list does not hold it yet."""
    items = document.get(name)
    if isinstance(items, list) and item not in items:
        document[name] = [*items, item]


def _is_key_result(value: JSON) -> bool:
    names = ("startValue", "targetValue", "progress")
    return isinstance(value, dict) and all(_is_measure(value.get(name)) for name in names)


def _is_measure(value: JSON) -> bool:
    return isinstance(value, int | float) and abs(value) <= _LARGEST_MEASURE
