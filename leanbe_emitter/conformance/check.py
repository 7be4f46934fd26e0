"""A check as data, and the judgement of one answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import TypeAlias

from leanbe_emitter.conformance.client import Exchange
from leanbe_emitter.conformance.report import Judgement, Level, Verdict
from leanbe_emitter.conformance.sample_requests import RequestFactory, SampleRequest

#: Makes the request of a check.
Make: TypeAlias = Callable[[RequestFactory], SampleRequest]


class Need(StrEnum):
    """A need of a check, besides a receiver."""

    #: The receiver is reached over a network.
    NETWORK = "network"
    #: Something shows what the receiver stored.
    OBSERVATION = "observation"
    #: The run starts the receiver itself, so that it can kill it.
    START = "start"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check.

    Attributes:
        id: its name, after its group's: ``signature.missing``.
        level: how much it counts.
        sends: what is sent, in words.
        expects: what should come, in words.
        why: why it matters, as a sentence.
        fix: the line to change, by language.
        needs: what it needs, besides a receiver.
    """

    id: str
    level: Level
    sends: str
    expects: str
    why: str
    fix: Mapping[str, str] = field(repr=False)
    needs: frozenset[Need] = frozenset()


@dataclass(frozen=True, kw_only=True)
class RequestCheck(Check):
    """A check of one request.

    Attributes:
        make: returns the request.
    """

    make: Make


_CLIENT_ERRORS = range(400, 500)
_REDIRECTS = range(300, 400)

_UNOBSERVED = "and nothing shows that it had no effect (if it verifies later: --observe)"


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
