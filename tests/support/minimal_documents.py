"""Minimal documents of the contract (b.0), as an action in the scene would create them now."""

from tests.support.expected_documents import Document, altered
from tests.support.scene import COLOUR, NOW, PUBLIC_ID, Scene


def new_customer(s: Scene, **delta: object) -> Document:
    """Return a customer with an e-mail only, plus these members."""
    return altered(
        {
            "_id": s.new_ids(1)[0],
            "publicId": PUBLIC_ID,
            "image": {},
            "source": "Manual",
            "confirmed": False,
            "products": [s.product_ref],
            "bgColor": COLOUR,
            "isTemporary": False,
            "devices": [],
            "billing_details": [],
            "notes": [],
            "createdAt": NOW,
            "updatedAt": NOW,
        },
        **delta,
    )


def new_request(s: Scene, **delta: object) -> Document:
    """Return a request without a customer, with these members."""
    return _new(s, {"status": "new", "source": "Manual"}, delta)


def new_idea(s: Scene, **delta: object) -> Document:
    """Return an idea with these members."""
    flags = {"promoted": False, "archived": False, "upvotes": 0}
    own = {"owner": _owner(s), "tags": [], "visibility": "public", "ideaRequests": []}
    return _new(s, {**flags, **own}, delta)


def new_item(s: Scene, **delta: object) -> Document:
    """Return a backlog item with these members."""
    return _new(s, {"owner": _owner(s), "tags": [], "status": "To Do"}, delta)


def new_okr(s: Scene, **delta: object) -> Document:
    """Return an OKR with these members."""
    return _new(s, {"owner": _owner(s), "progress": 0, "keyResults": []}, delta)


def new_announcement(s: Scene, **delta: object) -> Document:
    """Return an announcement with these members."""
    return _new(s, {"owner": _owner(s), "categories": [], "status": "draft"}, delta)


def _new(s: Scene, own: Document, delta: Document) -> Document:
    made = {"_id": s.new_ids(1)[0], "createdAt": NOW, "updatedAt": NOW, "product": s.product_ref}
    return altered({**made, **own}, **delta)


def _owner(s: Scene) -> Document:
    return {"_id": s.owner.id, "firstName": "Product Owner", "email": "owner@example.com"}
