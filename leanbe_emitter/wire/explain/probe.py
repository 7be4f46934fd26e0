"""A probe: the requests that ask a receiver, and the result in words for the receiver's author.

A request is an event as a fresh document, signed rightly or as a mistake would. Invariant: only the
signature of a request is wrong. Its payload and all other members are as Leanbe sends them. A
result says how many requests the receiver accepted, because it may have acted on them.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.envelope import SealedRequest, seal
from leanbe_emitter.wire.explain.answer_digests import digests_in
from leanbe_emitter.wire.explain.candidates import Candidate, Teller
from leanbe_emitter.wire.explain.content_mistakes import CONTENTS
from leanbe_emitter.wire.explain.digest_mistakes import wrong_place
from leanbe_emitter.wire.explain.explainer import Explanation
from leanbe_emitter.wire.explain.key_mistakes import KEYS
from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.mistakes import KeyMistake, NothingCompared, Saying
from leanbe_emitter.wire.explain.received_request import ReceivedRequest
from leanbe_emitter.wire.explain.repairs import COMPARE
from leanbe_emitter.wire.explain.search import Search
from leanbe_emitter.wire.explain.suspects import Suspect
from leanbe_emitter.wire.instants import print_instant
from leanbe_emitter.wire.stringify import JSON, stringify

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


_NOTHING_COMPARED = NothingCompared(
    name="nothing-compared",
    words=Saying(
        verb="accept",
        object="any signature",
        advice="Compare the signature with the one that you compute, and answer 401 if they "
        "differ.",
    ),
    repair=COMPARE,
)
#: The mistakes in contents that hold the signature, in the order in which people make them.
_NOT_ASKABLE = ("raw-body-hashed", "whole-envelope-hashed")


@dataclass(frozen=True, kw_only=True)
class AcceptedEvent:
    """An event of a probe that the receiver accepted.

    Attributes:
        event: its name.
        document_id: the id of its document; None if the payload has none.
        triggered_at: an aware instant in UTC.
    """

    event: str
    document_id: str | None
    triggered_at: datetime

    def document(self) -> dict[str, JSON]:
        """Return it as JSON."""
        return {
            "event": self.event,
            "_id": self.document_id,
            "triggeredAt": print_instant(self.triggered_at),
        }


@dataclass(frozen=True, kw_only=True)
class ProbeResult(Explanation):
    """The result of a probe: an explanation, and what was sent for it.

    Attributes:
        requests: the number of requests that were sent.
        accepted: the events that the receiver accepted, and may have acted on.
    """

    requests: int = 0
    accepted: Sequence[AcceptedEvent] = field(default=())

    def document(self) -> dict[str, JSON]:
        """Return it as JSON."""
        probe: dict[str, JSON] = {
            "requests": self.requests,
            "accepted": [each.document() for each in self.accepted],
        }
        return {**super().document(), "probe": probe}


class ProbeTeller:
    """Tells the mistakes that a probe found.

    Args:
        language: the receiver's language if it is known.
        other_keys: mistakes in the key beside the known ones.
    """

    def __init__(self, *, language: Language | None, other_keys: tuple[KeyMistake, ...]) -> None:
        self._language = language
        self._keys = (*KEYS, *other_keys)

    def named(
        self, suspect: Suspect, request: ReceivedRequest, signature: str
    ) -> tuple[Candidate, ...]:
        """Return the mistakes of a receiver that accepts this signature of a request."""
        teller = self._teller(request)
        found = teller.causes(signature)
        if suspect.is_in_header:
            return (*found, teller.of_mistake(wrong_place(request.assumptions)))
        return found or tuple(teller.of_mistake(mistake) for mistake, _ in suspect.forms)

    def told_by_answer(self, answer: bytes, request: ReceivedRequest) -> tuple[Candidate, ...]:
        """Return the mistake that gives a digest which the answer to a request holds."""
        teller = self._teller(request)
        return next(filter(None, map(teller.causes, digests_in(answer))), ())

    def nothing_compared(self, request: ReceivedRequest) -> Candidate:
        """Return the mistake of a receiver that accepts any signature."""
        return self._teller(request).of_mistake(_NOTHING_COMPARED)

    def not_askable(self, request: ReceivedRequest) -> tuple[Candidate, ...]:
        """Return the mistakes that no request can show, with what they compute from this one."""
        teller = self._teller(request)
        return tuple(
            teller.of_mistake(mistake, signatures=tuple(mistake.computes(request)))
            for name in _NOT_ASKABLE
            for mistake in CONTENTS
            if mistake.name == name
        )

    def _teller(self, request: ReceivedRequest) -> Teller:
        return Teller(Search(request, keys=self._keys, language=self._language))
