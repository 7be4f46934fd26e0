"""The shapes of documents (contract b), written a second time, independent of the package.

Tests compare texts, so the order of keys counts.
"""

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

from leanbe_emitter import stringify

Document = dict[str, Any]

KEYS: Mapping[str, tuple[str, ...]] = {
    resource: tuple(keys.split())
    for resource, keys in {
        "customer": """_id firstName lastName publicId email phone state city addressLine1
            addressLine2 zipcode country company image gender source type confirmed products bgColor
            isTemporary devices billing_details notes createdAt updatedAt""",
        "ideaRequest": """_id customer title description descriptionHTML status source createdAt
            updatedAt product idea""",
        "idea": """_id owner assigned title description descriptionHTML tags visibility promoted
            archived upvotes createdAt updatedAt product ideaRequests""",
        "backlogItem": """_id owner assigned title description descriptionHTML tags status
            createdAt updatedAt product idea""",
        "okr": """_id owner title description startDate endDate progress keyResults createdAt
            updatedAt product""",
        "announcement": """_id owner title description descriptionHTML categories status
            publishedAt createdAt updatedAt product""",
    }.items()
}

#: Context of events: members that follow the document's own members (contract b.0).
CONTEXT: Mapping[str, tuple[str, ...]] = {
    "idea": ("customer", "changes"),
    "backlogItem": ("previousStatus", "changes"),
    "customer": ("changes",),
    "ideaRequest": (),
    "okr": ("changes",),
    "announcement": ("changes",),
}

#: Members that a document may lack (contract b).
_OPTIONAL: Mapping[str, frozenset[str]] = {
    resource: frozenset(keys.split())
    for resource, keys in {
        "customer": """firstName lastName phone state city addressLine1 addressLine2 zipcode country
            company gender type""",
        "ideaRequest": "customer description descriptionHTML idea",
        "idea": "assigned description descriptionHTML",
        "backlogItem": "assigned description descriptionHTML idea",
        "okr": "description startDate endDate",
        "announcement": "description descriptionHTML publishedAt",
    }.items()
}
#: Optional members inside of members.
_INSIDE: Mapping[str, tuple[str, ...]] = {
    "customer": ("firstName", "lastName"),
    "country": ("countryCode", "countryName"),
    "company": ("name", "jobTitle", "seniority", "salary"),
    "keyResults": ("unit",),
    "devices": ("name", "deviceType", "brand", "system", "browser", "language"),
}
_INSIDE_ORDER: Mapping[str, tuple[str, ...]] = {
    "customer": ("_id", "firstName", "lastName", "email"),
    "country": _INSIDE["country"],
    "company": _INSIDE["company"],
    "devices": ("_id", *_INSIDE["devices"]),
    "keyResults": ("_id", "title", "startValue", "currentValue", "targetValue", "unit", "progress"),
}


def resource_of(event: str) -> str:
    """Return the resource of an event: ``idea`` for ``idea.upVoted``."""
    return event.partition(".")[0]


def text_of(resource: str, document: Mapping[str, Any]) -> str:
    """Return the text of a document, with its keys in the contract's order and its context last."""
    order = (*KEYS[resource], *CONTEXT[resource])
    unknown = document.keys() - set(order)
    assert not unknown, unknown
    return stringify({key: document[key] for key in order if key in document})


def without_context(event: str, payload: Mapping[str, Any]) -> Document:
    """Return the document at the beginning of a payload."""
    context = CONTEXT[resource_of(event)]
    return {key: value for key, value in payload.items() if key not in context}


def altered(document: Mapping[str, Any], **delta: Any) -> Document:
    """Return the document with these members changed; members with the value None are removed."""
    return {key: value for key, value in {**document, **delta}.items() if value is not None}


def arranged(resource: str, values: Document, *, is_null: bool) -> Document:
    """Return the members in the contract's order; members without a value are left out or null."""
    arranged: Document = {}
    for key in KEYS[resource]:
        value = values.get(key)
        if value is not None:
            arranged[key] = _inside(key, value, is_null=is_null)
        elif is_null and key in _OPTIONAL[resource]:
            arranged[key] = None
    return arranged


def _inside(key: str, value: Any, *, is_null: bool) -> Any:
    if isinstance(value, list):
        return [_inside(key, each, is_null=is_null) for each in value]
    if key not in _INSIDE:
        return deepcopy(value)
    return {
        name: value.get(name)
        for name in _INSIDE_ORDER[key]
        if value.get(name) is not None or (is_null and name in _INSIDE[key])
    }


def arranged_context(context: Document, *, is_null: bool) -> Document:
    """Return the context of an event; members without a value are left out or null."""
    return {
        key: value if key != "customer" or value is None else _inside(key, value, is_null=is_null)
        for key, value in context.items()
        if value is not None or is_null
    }


def printed(instant: datetime) -> str:
    """Return an instant in the format of documents."""
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"
