"""Requests that ask a receiver: an event as a fresh document, signed rightly or as a mistake would.

Invariant: only the signature of a request is wrong. Its payload and all other members are as Leanbe
sends them.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime

from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.envelope import SealedRequest, seal
from leanbe_emitter.wire.explain.received_request import ReceivedRequest
from leanbe_emitter.wire.stringify import stringify

#: Headers in which receivers look for a signature.
SIGNATURE_HEADERS = (
    "X-Leanbe-Signature",
    "Leanbe-Signature",
    "X-Hub-Signature-256",
    "X-Hub-Signature",
    "X-Signature-256",
    "X-Signature",
    "X-Webhook-Signature",
    "Webhook-Signature",
    "Signature",
)
_OBJECT_ID = re.compile("[0-9a-f]{24}")
#: How many digits of an id stand in the address of a sample.
_IN_ADDRESS = 6


@dataclass(frozen=True, kw_only=True)
class ProbeEvent:
    """An event that a receiver is asked with.

    Attributes:
        name: the event's name.
        payload_text: its payload, stringified.
        is_ordinary: whether Leanbe sends such payloads; otherwise the payload has texts and members
            that a receiver may refuse.
    """

    name: str
    payload_text: str = field(repr=False)
    is_ordinary: bool = True

    @property
    def document_id(self) -> str | None:
        """The id of its document; None if the payload has no such id."""
        payload = json.loads(self.payload_text)
        found = payload.get("_id") if isinstance(payload, dict) else None
        return found if isinstance(found, str) and _OBJECT_ID.fullmatch(found) else None

    def of_document(self, new_id: str) -> str:
        """Return the payload's text, of a document with another id."""
        old_id = self.document_id
        if old_id is None:
            return self.payload_text
        text = self.payload_text.replace(old_id, new_id)
        # Two customers do not have the same e-mail address.
        return text.replace(f".{old_id[-_IN_ADDRESS:]}@", f".{new_id[-_IN_ADDRESS:]}@")


@dataclass(frozen=True, kw_only=True)
class SignedEvent:
    """A request with the right signature.

    Attributes:
        received: the request as its receiver sees it.
        body: the body's text.
        headers: the headers of the envelope.
    """

    received: ReceivedRequest
    body: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def document_id(self) -> str | None:
        """The id of the document."""
        payload = self.received.members["payload"]
        found = payload.get("_id") if isinstance(payload, dict) else None
        return found if isinstance(found, str) else None

    def signed(self, signature: str) -> SealedRequest:
        """Return the request with another signature."""
        right = self.received.expected
        before, found, behind = self.body.rpartition(right)
        return SealedRequest(
            body=f"{before}{stringify(signature)[1:-1]}{behind}" if found else self.body,
            headers=tuple(
                (name, signature if value == right else value) for name, value in self.headers
            ),
            signature=signature,
        )

    def signed_elsewhere(self, signature: str) -> SealedRequest:
        """Return the request with a signature in every other place where receivers look for it."""
        taken = {name.lower() for name, _ in self.headers}
        added = [(name, signature) for name in SIGNATURE_HEADERS if name.lower() not in taken]
        body = self.body
        if self.received.expected not in body:
            body = f'{body[:-1].rstrip()},"signature":{stringify(signature)}}}'
        return SealedRequest(body=body, headers=(*self.headers, *added), signature=signature)


def signed_event(
    event: ProbeEvent,
    *,
    new_id: str,
    triggered_at: datetime,
    secret: str,
    assumptions: AssumptionSet,
) -> SignedEvent:
    """Return an event of a new document, signed rightly."""
    sealed = seal(
        event.of_document(new_id),
        event=event.name,
        triggered_at=triggered_at,
        secret=secret,
        assumptions=assumptions,
    )
    received = ReceivedRequest.of(
        sealed.body.encode(), secret, headers=sealed.headers, assumptions=assumptions
    )
    return SignedEvent(received=received, body=sealed.body, headers=sealed.headers)
