"""The keys of documents in the contract's order (b.1 to b.6), written down once more.

Tests compare texts, so that a key in another place is another text.
"""

from collections.abc import Mapping
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

#: What an event says beyond its document, after the document's own keys (contract b.0).
CONTEXT: Mapping[str, tuple[str, ...]] = {
    "idea": ("customer", "changes"),
    "backlogItem": ("previousStatus", "changes"),
    "customer": ("changes",),
    "ideaRequest": (),
    "okr": ("changes",),
    "announcement": ("changes",),
}


def resource_of(event: str) -> str:
    """Return whose event it is: ``idea.upVoted`` is an ``idea``'s."""
    return event.partition(".")[0]


def text_of(resource: str, document: Mapping[str, Any]) -> str:
    """Return the text of a document, its keys in the contract's order and the context's behind."""
    order = (*KEYS[resource], *CONTEXT[resource])
    unknown = document.keys() - set(order)
    assert not unknown, unknown
    return stringify({key: document[key] for key in order if key in document})


def without_context(event: str, payload: Mapping[str, Any]) -> Document:
    """Return the document that a payload begins with."""
    context = CONTEXT[resource_of(event)]
    return {key: value for key, value in payload.items() if key not in context}


def altered(document: Mapping[str, Any], **delta: Any) -> Document:
    """Return the document with these members, less those that are None."""
    return {key: value for key, value in {**document, **delta}.items() if value is not None}
