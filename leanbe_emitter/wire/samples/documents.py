"""The documents that samples begin with: one of each resource, every field filled in.

They are written as under the article's reading, an idea's requests under ``id``. Texts hold
accents, signs and quotes on purpose: a receiver that escapes or re-encodes them shows it at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from leanbe_emitter.ids import Ids
from leanbe_emitter.wire.instants import print_instant
from leanbe_emitter.wire.stringify import JSON


@dataclass(frozen=True, kw_only=True)
class Birth:
    """What every new document has: an id, and the instant of its creation."""

    id: str
    at: datetime

    @property
    def created_at(self) -> str:
        """The instant as documents print it."""
        return print_instant(self.at)

    def times(self) -> dict[str, JSON]:
        """Return the two times of a document that was just created (contract b.0)."""
        return {"createdAt": self.created_at, "updatedAt": self.created_at}


def sample_customer(birth: Birth, *, product: JSON, ids: Ids) -> dict[str, JSON]:
    """Return a customer whose e-mail no other sample has: it is unique in a product."""
    return {
        "_id": birth.id,
        "firstName": "João",
        "lastName": "Duarte",
        "publicId": ids.public_id(),
        "email": f"joao.duarte.{birth.id[-6:]}@example.com",
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
                "_id": ids.object_id(birth.at),
                "name": "Work phone",
                "deviceType": "Mobile",
                "brand": "Fairphone",
                "system": "Android",
                "browser": "Firefox",
                "language": "Portuguese",
            },
            {
                "_id": ids.object_id(birth.at),
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
                "_id": ids.object_id(birth.at),
                "plan_type": "Team",
                "plan_tier": "Standard",
                "plan_frequency": "Annual",
                "subscription_start_date": birth.created_at[:10],
                "subscription_end_date": print_instant(birth.at + timedelta(days=364))[:10],
                "plan_price": "€290.00",
            }
        ],
        "notes": [{"note": 'Met at the spring fair: "call me in May".'}],
        **birth.times(),
    }


def sample_idea_request(birth: Birth, *, product: JSON, customer: JSON) -> dict[str, JSON]:
    """Return a new request of that customer."""
    return {
        "_id": birth.id,
        "customer": customer,
        "title": "A darker dashboard",
        "description": "I work at night, and the dashboard is the brightest thing in the room.",
        "descriptionHTML": "<p>I work at night, and the dashboard is the brightest thing in the "
        "room.</p>",
        "status": "new",
        "source": "Portal",
        **birth.times(),
        "product": product,
    }


def sample_idea(
    birth: Birth, *, product: JSON, owner: JSON, assigned: JSON, request: JSON
) -> dict[str, JSON]:
    """Return an idea that a request is attached to."""
    return {
        "_id": birth.id,
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
        **birth.times(),
        "product": product,
        "ideaRequests": [request],
    }


def sample_backlog_item(  # noqa: PLR0913 - one argument for each thing that it refers to
    birth: Birth, *, product: JSON, owner: JSON, assigned: JSON, idea: JSON, status: str
) -> dict[str, JSON]:
    """Return a backlog item that an idea was promoted to."""
    return {
        "_id": birth.id,
        "owner": owner,
        "assigned": assigned,
        "title": "Dark mode",
        "description": "Colour tokens first, then the charts.",
        "descriptionHTML": "<p>Colour tokens first, then the charts.</p>",
        "tags": [{"title": "ui"}],
        "status": status,
        **birth.times(),
        "product": product,
        "idea": idea,
    }


def sample_okr(birth: Birth, *, product: JSON, owner: JSON, ids: Ids) -> dict[str, JSON]:
    """Return an objective of a quarter with two key results, one of which counts down."""
    day = birth.at.replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "_id": birth.id,
        "owner": owner,
        "title": "Feel at home in the first hour",
        "description": "What a new team meets on its first day.",
        "startDate": print_instant(day),
        "endDate": print_instant(day + timedelta(days=90)),
        "progress": 0,
        "keyResults": [
            _key_result(birth, ids, "Teams that invite a colleague", (40, 60), "%"),
            _key_result(birth, ids, "Time to the first board", (30, 10), "min"),
        ],
        **birth.times(),
        "product": product,
    }


def _key_result(
    birth: Birth, ids: Ids, title: str, values: tuple[int, int], unit: str
) -> dict[str, JSON]:
    start, target = values
    return {
        "_id": ids.object_id(birth.at),
        "title": title,
        "startValue": start,
        "currentValue": start,
        "targetValue": target,
        "unit": unit,
        "progress": 0,
    }


def sample_announcement(birth: Birth, *, product: JSON, owner: JSON) -> dict[str, JSON]:
    """Return the draft of an announcement."""
    return {
        "_id": birth.id,
        "owner": owner,
        "title": "Dark mode is here 🌙",
        "description": "Choose it in your profile, under Appearance.",
        "descriptionHTML": "<p>Choose it in your profile, under <b>Appearance</b>.</p>",
        "categories": [{"title": "New"}],
        "status": "draft",
        **birth.times(),
        "product": product,
    }
