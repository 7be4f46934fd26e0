"""Judge one answer: of a request that should be accepted, or of one that should be refused."""

from http import HTTPStatus
from typing import Protocol

from leanbe_emitter.conformance.client import Exchange
from leanbe_emitter.conformance.verdicts import Judgement, Verdict

_CLIENT_ERRORS = range(400, 500)
_REDIRECTS = range(300, 400)

_UNOBSERVED = "and nothing shows that it had no effect (if it verifies later: --observe)"


class Refusals(Protocol):
    """Knows the events that the receiver refuses."""

    def is_refused(self, event: str) -> bool:
        """Return whether the receiver refuses this event in any case."""
        ...


def judge_valid(exchange: Exchange) -> Judgement:
    """Return the judgement of a request that the receiver should accept."""
    if exchange.answer is None:
        return judgement_of(exchange, Verdict.ERROR)
    return judgement_of(exchange, Verdict.PASS if exchange.is_accepted else Verdict.FAIL)


def judge_forgery(exchange: Exchange, *, has_effect: bool | None) -> Judgement:
    """Return the judgement of a request that the receiver should refuse.

    Args:
        exchange: the request and its answer.
        has_effect: whether it had an effect; None if nothing shows that.
    """
    if has_effect:
        return judgement_of(exchange, Verdict.FAIL, but="and yet it had an effect")
    if exchange.is_accepted and has_effect is None:
        return judgement_of(exchange, Verdict.FAIL, but=_UNOBSERVED)
    verdict, but = _refusal(exchange)
    return judgement_of(exchange, verdict, but=but)


def _refusal(exchange: Exchange) -> tuple[Verdict, str]:
    """Return the verdict of an answer to a forgery that had no effect."""
    status = exchange.status
    if exchange.answer is None:
        return Verdict.ERROR, ""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Verdict.WARN, "it crashes instead of refusing"
    if status in _REDIRECTS or status == HTTPStatus.TOO_MANY_REQUESTS:
        return Verdict.INCONCLUSIVE, ""
    return Verdict.PASS, "without an effect" if exchange.is_accepted else ""


def judgement_of(exchange: Exchange, verdict: Verdict, *, but: str = "") -> Judgement:
    """Return a judgement whose evidence is one exchange."""
    words = exchange.in_words()
    return Judgement(verdict=verdict, got=f"{words}, {but}" if but else words, curl=exchange.curl)


def judge_refused(context: Refusals, exchange: Exchange) -> Judgement:
    """Return the judgement of a valid event that a longer check needed, and that was refused.

    If the receiver refuses this event in any case, that is told once, by the control.
    """
    event = exchange.request.event
    if context.is_refused(event):
        return Judgement(verdict=Verdict.INCONCLUSIVE, got=f"{event} is refused in any case")
    return judge_valid(exchange)
