"""Templates of the sample documents: one of each resource, with every field filled in.

They follow the article's assumptions: an idea's requests have their ids under ``id``. Texts hold
accents, signs and quotes on purpose: they reveal a receiver that escapes or re-encodes them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from leanbe_emitter.ids import Ids
from leanbe_emitter.wire.instants import print_instant
from leanbe_emitter.wire.stringify import JSON


@dataclass(frozen=True, kw_only=True)
class Creation:
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


def sample_customer(creation: Creation, *, product: JSON, ids: Ids) -> dict[str, JSON]:
    """Return a customer with an e-mail of its own, because e-mails are unique in a product."""
    return {
        "_id": creation.id,
        "firstName": "João",
        "lastName": "Duarte",
        "publicId": ids.public_id(),
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
        "products": [product],
        "bgColor": ids.colour(),
        "isTemporary": False,
        "devices": [
            {
                "_id": ids.object_id(creation.at),
                "name": "Work phone",
                "deviceType": "Mobile",
                "brand": "Fairphone",
                "system": "Android",
                "browser": "Firefox",
                "language": "Portuguese",
            },
            {
                "_id": ids.object_id(creation.at),
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
                "_id": ids.object_id(creation.at),
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


def sample_idea_request(creation: Creation, *, product: JSON, customer: JSON) -> dict[str, JSON]:
    """Return a new idea request of the customer."""
    return {
        "_id": creation.id,
        "customer": customer,
        "title": "A darker dashboard",
        "description": "I work at night, and the dashboard is the brightest thing in the room.",
        "descriptionHTML": "<p>I work at night, and the dashboard is the brightest thing in the "
        "room.</p>",
        "status": "new",
        "source": "Portal",
        **creation.times(),
        "product": product,
    }


def sample_idea(
    creation: Creation, *, product: JSON, owner: JSON, assigned: JSON, request: JSON
) -> dict[str, JSON]:
    """Return an idea with an attached request."""
    return {
        "_id": creation.id,
        "owner": owner,
        "assigned": assigned,
        "title": "Dark mode",
        "description": "Follow the system's theme — and let people choose.",
        "descriptionHTML": "<p>Follow the <em>system's</em> theme — and let people choose.</p>",
        "tags": [{"title": "ui"}],
        "visibility": "public",
        "promoted": False,
        "archived": False,
        "upvotes": 0,
        **creation.times(),
        "product": product,
        "ideaRequests": [request],
    }


def sample_backlog_item(  # noqa: PLR0913 - one argument for each reference
    creation: Creation, *, product: JSON, owner: JSON, assigned: JSON, idea: JSON, status: str
) -> dict[str, JSON]:
    """Return a backlog item that came from a promoted idea."""
    return {
        "_id": creation.id,
        "owner": owner,
        "assigned": assigned,
        "title": "Dark mode",
        "description": "Colour tokens first, then the charts.",
        "descriptionHTML": "<p>Colour tokens first, then the charts.</p>",
        "tags": [{"title": "ui"}],
        "status": status,
        **creation.times(),
        "product": product,
        "idea": idea,
    }


def sample_okr(creation: Creation, *, product: JSON, owner: JSON, ids: Ids) -> dict[str, JSON]:
    """Return an objective for a quarter with two key results; the second counts down."""
    day = creation.at.replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "_id": creation.id,
        "owner": owner,
        "title": "Feel at home in the first hour",
        "description": "What a new team meets on its first day.",
        "startDate": print_instant(day),
        "endDate": print_instant(day + timedelta(days=90)),
        "progress": 0,
        "keyResults": [
            _key_result(creation, ids, "Teams that invite a colleague", (40, 60), "%"),
            _key_result(creation, ids, "Time to the first board", (30, 10), "min"),
        ],
        **creation.times(),
        "product": product,
    }


def _key_result(
    creation: Creation, ids: Ids, title: str, values: tuple[int, int], unit: str
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


def sample_announcement(creation: Creation, *, product: JSON, owner: JSON) -> dict[str, JSON]:
    """Return an announcement that is a draft."""
    return {
        "_id": creation.id,
        "owner": owner,
        "title": "Dark mode is here 🌙",
        "description": "Choose it in your profile, under Appearance.",
        "descriptionHTML": "<p>Choose it in your profile, under <b>Appearance</b>.</p>",
        "categories": [{"title": "New"}],
        "status": "draft",
        **creation.times(),
        "product": product,
    }
