"""Probes of a run: a receiver that refused a test's event is asked which mistake it makes.

Invariant: a receiver is asked at most once in a run, and over the network only if the suite wants
that. No error of a probe hides the test's own failure.
"""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.wire.explain.answer_digests import digests_in
from leanbe_emitter.wire.explain.explainer import Verdict

if TYPE_CHECKING:
    from leanbe_emitter.library import Attempt, Delivery, Leanbe, Probed
    from leanbe_emitter.testing.receiver import Receiver

#: Statuses with which receivers refuse a wrong signature.
ABOUT_SIGNATURES = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


@dataclass(kw_only=True)
class Probes:
    """The probes of a run's receivers.

    Attributes:
        found: the results, by receiver.
    """

    found: dict[object, "Probed"] = field(default_factory=dict)

    async def ask(self, leanbe: "Leanbe", receiver: "Receiver | None") -> "Probed | None":
        """Ask the receiver that refused the last event of a test, or return what it answered.

        Returns:
            None if nothing was refused because of its signature, if its answer tells the mistake
            already, or if it must not be asked.
        """
        refused = _refused(leanbe)
        if refused is None or refused.url is None or not _may_ask(leanbe, receiver, refused.url):
            return None
        if _is_told_by_answer(refused):
            return None
        app = None if receiver is None else receiver.app
        key = (refused.url, type(app), getattr(app, "__qualname__", None))
        if key not in self.found:
            self.found[key] = await refused.explain(probe=True, lang=_language(leanbe, refused.url))
        return self.found[key]


#: The probes of a run that has no object of its own, as with unittest.
PROBES_OF_PROCESS = Probes()


def is_about_signatures(attempt: "Attempt | None") -> bool:
    """Return whether a receiver refused an attempt in a way that can concern the signature."""
    return (
        attempt is not None
        and attempt.outcome is Outcome.REFUSED
        and attempt.answer_status in ABOUT_SIGNATURES
    )


def _refused(leanbe: "Leanbe") -> "Delivery | None":
    """Return the last delivery that was attempted without a fault, if it was refused."""
    tried = (each for each in leanbe.deliveries.list() if each.attempts)
    last = next((each for each in tried if each.attempts[-1].fault is None), None)
    return last if last is not None and is_about_signatures(last.attempts[-1]) else None


def _is_told_by_answer(refused: "Delivery") -> bool:
    """Return whether the receiver answered with the signature that it computed by a mistake."""
    # Without a digest, an explanation would list all mistakes, which takes long.
    has_digest = bool(digests_in(refused.attempts[-1].answer_body or b""))
    return has_digest and refused.explain().verdict is Verdict.MISTAKE_FOUND


def _may_ask(leanbe: "Leanbe", receiver: "Receiver | None", url: str) -> bool:
    wish = None if receiver is None else receiver.probe
    return leanbe.is_in_process(url) if wish is None else wish


def _language(leanbe: "Leanbe", url: str) -> str | None:
    return "python" if leanbe.is_in_process(url) else None
