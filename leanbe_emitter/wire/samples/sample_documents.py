"""A set of sample documents: one of each resource, with references to each other.

The templates below fill in every field, and follow the article's assumptions: an idea's requests
have their ids under ``id``. Texts hold accents, signs and quotes on purpose: they reveal a receiver
that escapes or re-encodes them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from leanbe_emitter.ids import Ids
from leanbe_emitter.wire.instants import print_instant
from leanbe_emitter.wire.payloads.declarations import DEFAULT_STATUSES
from leanbe_emitter.wire.samples.previous_payload import completed, created_at, known_documents
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


@dataclass(frozen=True, kw_only=True)
class _Creation:
    """Id and instant of creation of a new document."""

    id: str
    at: datetime

    @property
    def created_at(self) -> str:
        """The instant as text, for ``createdAt``."""
        return print_instant(self.at)

    def times(self) -> dict[str, JSON]:
        """Return ``createdAt`` and ``updatedAt`` of a new document (contract b.0)."""
        return {"createdAt": self.created_at, "updatedAt": self.created_at}


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
        self.product = dict(product)
        self.ids = ids
        self._now = now.astimezone(UTC)
        self.owner = dict(owner) if owner is not None else self._user(_OWNER)
        self.assigned = self._user(_ASSIGNED)
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
            made = _TEMPLATES[resource](self._creation(known, at), self)
            self._documents[resource] = made | known
        return self._documents[resource]

    def next_instant(self) -> datetime:
        """Return the instant of the next event."""
        instant = self._now - _LAG + self._events * _STEP
        self._events += 1
        return min(instant, self._now)

    def continue_from(self, document: dict[str, JSON], resource: str) -> None:
        """Use a previous document for its resource, and its references for theirs."""
        self.owner = _object_or(document.get("owner"), self.owner)
        self.assigned = _object_or(document.get("assigned"), self.assigned)
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

    def request_reference(self) -> dict[str, JSON]:
        """Return the reference to the request in an idea."""
        request = self.document("ideaRequest")
        return {"id": request["_id"], "title": request["title"]}

    # The documents as they are created.

    def _user(self, user: Mapping[str, JSON]) -> dict[str, JSON]:
        return {"_id": self.ids.object_id(self._now - _AGES["user"]), **user}

    def _creation(self, known: Mapping[str, JSON], at: datetime) -> _Creation:
        """Return id and instant of a document's creation; a known id tells the instant."""
        known_id = known.get("_id")
        if not isinstance(known_id, str):
            return _Creation(id=self.ids.object_id(at), at=at)
        return _Creation(id=known_id, at=min(created_at(known_id) or at, self._now))


def _reference(document: Mapping[str, JSON], *names: str) -> dict[str, JSON]:
    return {name: document[name] for name in names if name in document}


def _object_or(value: JSON, otherwise: dict[str, JSON]) -> dict[str, JSON]:
    return value if isinstance(value, dict) else otherwise


def _customer(creation: _Creation, documents: SampleDocuments) -> dict[str, JSON]:
    """Return a customer with an e-mail of its own, because e-mails are unique in a product."""
    return {
        "_id": creation.id,
        "firstName": "João",
        "lastName": "Duarte",
        "publicId": documents.ids.public_id(),
        "email": f"joao.duarte.{creation.id[-6:]}@example.com",
        "phone": "+351210000000",
        "state": "Lisboa",
        "city": "Lisbon",
        "addressLine1": "Rua das Flores 12",
        "addressLine2": "2.º Dto",
        "zipcode": "1200-195",
        "country": {"countryCode": "PT", "countryName": "Portugal"},
        "company": {
            "name": "Marwell & Sons",
            "jobTitle": "Operations Lead",
            "seniority": "Senior",
            "salary": "€58,000",
        },
        "image": {},
        "gender": "Male",
        "source": "Manual",
        "type": "Initiator (innovator, business driver, change agent)",
        "confirmed": False,
        "products": [documents.product],
        "bgColor": documents.ids.colour(),
        "isTemporary": False,
        "devices": [
            {
                "_id": documents.ids.object_id(creation.at),
                "name": "Work phone",
                "deviceType": "Mobile",
                "brand": "Fairphone",
                "system": "Android",
                "browser": "Firefox",
                "language": "Portuguese",
            },
            {
                "_id": documents.ids.object_id(creation.at),
                "name": "Desk",
                "deviceType": "Laptop",
                "brand": "Framework",
                "system": "Linux",
                "browser": "Chrome",
                "language": "English",
            },
        ],
        "billing_details": [
            {
                "_id": documents.ids.object_id(creation.at),
                "plan_type": "Team",
                "plan_tier": "Standard",
                "plan_frequency": "Annual",
                "subscription_start_date": creation.created_at[:10],
                "subscription_end_date": print_instant(creation.at + timedelta(days=364))[:10],
                "plan_price": "€290.00",
            }
        ],
        "notes": [{"note": 'Met at the spring fair: "call me in May".'}],
        **creation.times(),
    }


def _idea_request(creation: _Creation, documents: SampleDocuments) -> dict[str, JSON]:
    """Return a new idea request of the customer."""
    return {
        "_id": creation.id,
        "customer": documents.customer_reference(),
        "title": "A darker dashboard",
        "description": "I work at night, and the dashboard is the brightest thing in the room.",
        "descriptionHTML": "<p>I work at night, and the dashboard is the brightest thing in the "
        "room.</p>",
        "status": "new",
        "source": "Portal",
        **creation.times(),
        "product": documents.product,
    }


def _idea(creation: _Creation, documents: SampleDocuments) -> dict[str, JSON]:
    """Return an idea with an attached request."""
    return {
        "_id": creation.id,
        "owner": documents.owner,
        "assigned": documents.assigned,
        "title": "Dark mode",
        "description": "Follow the system's theme — and let people choose.",
        "descriptionHTML": "<p>Follow the <em>system's</em> theme — and let people choose.</p>",
        "tags": [{"title": "ui"}],
        "visibility": "public",
        "promoted": False,
        "archived": False,
        "upvotes": 0,
        **creation.times(),
        "product": documents.product,
        "ideaRequests": [documents.request_reference()],
    }


def _backlog_item(creation: _Creation, documents: SampleDocuments) -> dict[str, JSON]:
    """Return a backlog item that came from a promoted idea."""
    return {
        "_id": creation.id,
        "owner": documents.owner,
        "assigned": documents.assigned,
        "title": "Dark mode",
        "description": "Colour tokens first, then the charts.",
        "descriptionHTML": "<p>Colour tokens first, then the charts.</p>",
        "tags": [{"title": "ui"}],
        "status": documents.statuses[0],
        **creation.times(),
        "product": documents.product,
        "idea": documents.idea_reference(),
    }


def _okr(creation: _Creation, documents: SampleDocuments) -> dict[str, JSON]:
    """Return an objective for a quarter with two key results; the second counts down."""
    day = creation.at.replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "_id": creation.id,
        "owner": documents.owner,
        "title": "Feel at home in the first hour",
        "description": "What a new team meets on its first day.",
        "startDate": print_instant(day),
        "endDate": print_instant(day + timedelta(days=90)),
        "progress": 0,
        "keyResults": [
            _key_result(creation, documents.ids, "Teams that invite a colleague", (40, 60), "%"),
            _key_result(creation, documents.ids, "Time to the first board", (30, 10), "min"),
        ],
        **creation.times(),
        "product": documents.product,
    }


def _key_result(
    creation: _Creation, ids: Ids, title: str, values: tuple[int, int], unit: str
) -> dict[str, JSON]:
    start, target = values
    return {
        "_id": ids.object_id(creation.at),
        "title": title,
        "startValue": start,
        "currentValue": start,
        "targetValue": target,
        "unit": unit,
        "progress": 0,
    }


def _announcement(creation: _Creation, documents: SampleDocuments) -> dict[str, JSON]:
    """Return an announcement that is a draft."""
    return {
        "_id": creation.id,
        "owner": documents.owner,
        "title": "Dark mode is here 🌙",
        "description": "Choose it in your profile, under Appearance.",
        "descriptionHTML": "<p>Choose it in your profile, under <b>Appearance</b>.</p>",
        "categories": [{"title": "New"}],
        "status": "draft",
        **creation.times(),
        "product": documents.product,
    }


_TEMPLATES: Final[Mapping[str, Callable[[_Creation, SampleDocuments], dict[str, JSON]]]] = {
    "customer": _customer,
    "ideaRequest": _idea_request,
    "idea": _idea,
    "backlogItem": _backlog_item,
    "okr": _okr,
    "announcement": _announcement,
}
