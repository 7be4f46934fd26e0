"""Read sample documents from a previous payload, which may hold anything.

Users may change payloads, so these functions trust none: they skip a value of an unexpected type,
and never raise an error.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from leanbe_emitter.wire.assumptions.assumption_set import VoteModel
from leanbe_emitter.wire.payloads.event_payloads import document_shape
from leanbe_emitter.wire.stringify import JSON


def known_documents(document: Mapping[str, JSON], resource: str) -> dict[str, dict[str, JSON]]:
    """Return what a payload tells about each resource: its own document and its references.

    The ids of an idea's requests are under ``id`` in the result, as in all sample documents.
    """
    own = dict(document)
    requests = with_request_key(own.get("ideaRequests"), "id")
    if requests is not None:
        own["ideaRequests"] = requests
    fragments = {
        "customer": _fragment(own.get("customer"), "firstName", "lastName"),
        "idea": _fragment(own.get("idea")),
        "ideaRequest": _fragment(_first_request(requests)),
    }
    return fragments | {resource: own}


def with_request_key(requests: JSON, key: str) -> JSON:
    """Return an idea's requests with their ids under the given key (contract d-11)."""
    if not isinstance(requests, list):
        return requests
    return [
        {key: each.get("id", each.get("_id")), "title": each.get("title")}
        if isinstance(each, dict)
        else each
        for each in requests
    ]


def completed(
    document: Mapping[str, JSON], invented: Mapping[str, JSON], resource: str
) -> dict[str, JSON]:
    """Complete a previous document with values of an invented one.

    If the previous document is only an id, the invented one gives all other fields. Else it gives
    the required fields alone: an optional field that was left out had no value.
    """
    if set(document) == {"_id"}:
        return {**invented, **document}
    return {
        field.name: document.get(field.name, invented.get(field.name))
        for field in document_shape(resource).fields
        if field.required or field.name in document
    }


def votes_before(event: str, upvotes: JSON, vote_model: VoteModel) -> float:
    """Return the idea's number of votes before the event, if the event was a vote."""
    if not isinstance(upvotes, int | float):
        return 0
    if event == "idea.upVoted":
        return upvotes - 1
    is_balance = vote_model is VoteModel.NET
    return upvotes + 1 if event == "idea.downVoted" and is_balance else upvotes


def created_at(object_id: JSON) -> datetime | None:
    """Return the instant in an ObjectId; None for any other value (contract a.2)."""
    if not isinstance(object_id, str) or not re.fullmatch("[0-9a-f]{24}", object_id):
        return None
    return datetime.fromtimestamp(int(object_id[:8], 16), UTC)


def _fragment(reference: JSON, *optional: str) -> dict[str, JSON]:
    """Return the fields of a reference; an optional field that it leaves out is None."""
    if not isinstance(reference, dict):
        return {}
    said = {name: value for name, value in reference.items() if value is not None}
    return dict.fromkeys(optional) | said


def _first_request(requests: JSON) -> JSON:
    first = requests[0] if isinstance(requests, list) and requests else None
    return {"_id": first["id"], "title": first["title"]} if isinstance(first, dict) else None
