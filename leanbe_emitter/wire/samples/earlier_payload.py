"""What an earlier payload tells of a story's documents, whatever the payload holds.

Payloads are the user's to change, so nothing here trusts one: what is not of the expected type is
passed over, never an error.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from leanbe_emitter.wire.assumptions.assumption_set import VoteModel
from leanbe_emitter.wire.payloads.resources import document_shape
from leanbe_emitter.wire.stringify import JSON


def fragments_of(document: Mapping[str, JSON], resource: str) -> dict[str, dict[str, JSON]]:
    """Return what a payload says of each resource: its own document, and those it refers to.

    An idea's requests stand under ``id`` afterwards, as in the story's own documents.
    """
    own = dict(document)
    requests = with_key(own.get("ideaRequests"), "id")
    if requests is not None:
        own["ideaRequests"] = requests
    fragments = {
        "customer": _fragment(own.get("customer"), "firstName", "lastName"),
        "idea": _fragment(own.get("idea")),
        "ideaRequest": _fragment(_first_request(requests)),
    }
    return fragments | {resource: own}


def with_key(requests: JSON, key: str) -> JSON:
    """Return an idea's requests with their ids under that key (contract d-11)."""
    if not isinstance(requests, list):
        return requests
    return [
        {key: each.get("id", each.get("_id")), "title": each.get("title")}
        if isinstance(each, dict)
        else each
        for each in requests
    ]


def completed(
    document: Mapping[str, JSON], made: Mapping[str, JSON], resource: str
) -> dict[str, JSON]:
    """Return an earlier document, completed by what was made up for it.

    Of a document that was only an id, everything is made up; of others the required fields alone:
    an optional one that was left out had no value.
    """
    if set(document) == {"_id"}:
        return {**made, **document}
    return {
        field.name: document.get(field.name, made.get(field.name))
        for field in document_shape(resource).fields
        if field.required or field.name in document
    }


def votes_before(event: str, upvotes: JSON, vote_model: VoteModel) -> float:
    """Return how many votes an idea had before the vote that its payload may have been of."""
    if not isinstance(upvotes, int | float):
        return 0
    if event == "idea.upVoted":
        return upvotes - 1
    is_balance = vote_model is VoteModel.NET
    return upvotes + 1 if event == "idea.downVoted" and is_balance else upvotes


def second_of(object_id: JSON) -> datetime | None:
    """Return when an ObjectId was made; None where it is none (contract a.2)."""
    if not isinstance(object_id, str) or not re.fullmatch("[0-9a-f]{24}", object_id):
        return None
    return datetime.fromtimestamp(int(object_id[:8], 16), UTC)


def _fragment(reference: JSON, *optional: str) -> dict[str, JSON]:
    """Return what a reference says; an optional field that it leaves out has no value."""
    if not isinstance(reference, dict):
        return {}
    said = {name: value for name, value in reference.items() if value is not None}
    return dict.fromkeys(optional) | said


def _first_request(requests: JSON) -> JSON:
    first = requests[0] if isinstance(requests, list) and requests else None
    return {"_id": first["id"], "title": first["title"]} if isinstance(first, dict) else None
