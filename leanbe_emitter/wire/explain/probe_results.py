"""The result of a probe, in words for the receiver's author.

Invariant: a result says how many requests the receiver accepted, because it may have acted on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from leanbe_emitter.wire.explain.answer_digests import digests_in
from leanbe_emitter.wire.explain.assumption_mistakes import wrong_place
from leanbe_emitter.wire.explain.candidates import Candidate, Teller
from leanbe_emitter.wire.explain.content_mistakes import CONTENTS
from leanbe_emitter.wire.explain.explainer import Explanation
from leanbe_emitter.wire.explain.key_mistakes import KEYS
from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.mistakes import KeyMistake, NothingCompared, Saying
from leanbe_emitter.wire.explain.received_request import ReceivedRequest
from leanbe_emitter.wire.explain.repairs import COMPARE
from leanbe_emitter.wire.explain.search import Search
from leanbe_emitter.wire.explain.suspects import Suspect
from leanbe_emitter.wire.instants import print_instant
from leanbe_emitter.wire.stringify import JSON

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
        search = self._search(request)
        teller = Teller(request, search, language=self._language)
        found = tuple(teller.of(step) for step in search.causes(signature))
        if suspect.is_in_header:
            return (*found, teller.of_mistake(wrong_place(request.assumptions)))
        return found or tuple(teller.of_mistake(mistake) for mistake, _ in suspect.forms)

    def told_by_answer(self, answer: bytes, request: ReceivedRequest) -> tuple[Candidate, ...]:
        """Return the mistake that gives a digest which the answer to a request holds."""
        search = self._search(request)
        for got in digests_in(answer):
            if steps := search.causes(got):
                teller = Teller(request, search, language=self._language)
                return tuple(teller.of(step) for step in steps)
        return ()

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
        return Teller(request, self._search(request), language=self._language)

    def _search(self, request: ReceivedRequest) -> Search:
        return Search(request, keys=self._keys, language=self._language)
