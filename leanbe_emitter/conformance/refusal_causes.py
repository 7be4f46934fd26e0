"""Causes of a refusal: what the answer to the plainest event says, and what other events tell.

A known mistake is named as the cause if a receiver with it would refuse some of the refused events
and none of the accepted ones.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

from leanbe_emitter.conformance.client import Exchange
from leanbe_emitter.conformance.fixes import HASH_AS_IT_CAME
from leanbe_emitter.errors import InvalidSignature
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.explain.content_mistakes import CONTENTS
from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.mistakes import ContentMistake
from leanbe_emitter.wire.explain.received_request import ReceivedRequest
from leanbe_emitter.wire.explain.serialisers import SERIALISERS
from leanbe_emitter.wire.explain.serialisers.notation import RefusedText
from leanbe_emitter.wire.signing import to_utf8

NOTHING_VERIFIES = "nothing verifies yet"

_REDIRECTS = range(300, 400)
_HINTS = {
    HTTPStatus.NOT_FOUND: "Nothing is at this path: is it the path of the webhook?",
    HTTPStatus.METHOD_NOT_ALLOWED: "The path takes no POST: is it the path of the webhook?",
    HTTPStatus.FORBIDDEN: "Perhaps a CSRF check: a webhook has no token, so exempt this path.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The limit of a body's size is below 1 kB.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The receiver does not take application/json.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "A schema refuses the body; the answer says which member.",
    HTTPStatus.TOO_MANY_REQUESTS: "A rate limit refuses the first request already.",
}


def refusal_in_words(exchange: Exchange) -> str:
    """Return what a refusal of the plainest event probably means."""
    if exchange.answer is None:
        return f"The plainest event gets no answer: {exchange.reason}."
    status = exchange.status
    if status in _REDIRECTS:
        where = exchange.answer.header("location") or "another URL"
        return (
            f"It redirects to {where}. Leanbe's article does not say that it follows: use that URL."
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"The plainest event crashes the receiver: {exchange.in_words()}. See its log."
    hint = _HINTS.get(HTTPStatus(status), "") if status in set(HTTPStatus) else ""
    return f"It refuses the plainest event: {exchange.in_words()}. {hint}".rstrip()


#: The statuses with which receivers refuse a signature.
_REFUSALS = frozenset({400, 401, 403, 422})
#: The statuses that are about signatures alone.
_UNAUTHORISED = frozenset({401, 403})
_SERIALISERS = {each.name: each for each in SERIALISERS}
#: A receiver that hashes another part of the body refuses all events.
_LIKELY = [each for each in CONTENTS if each.name in _SERIALISERS or not each.is_written]
#: Longer bodies show nothing that shorter ones do not.
_LONGEST_BODY = 16 * 1024


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A mistake that explains why some valid events are refused.

    Attributes:
        what: the mistake in words.
        fix: the line to change, by language.
        languages: the languages in which people make the mistake.
    """

    what: str
    languages: tuple[str, ...]
    fix: Mapping[str, str] = field(repr=False)


_OTHER_TEXT = Cause(
    what="It answers as to a wrong signature: it does not hash the payload's text as it came.",
    fix=HASH_AS_IT_CAME,
    languages=(),
)


def causes(
    refused: Mapping[str, Exchange],
    valid: Sequence[Exchange],
    *,
    secret: str,
    assumptions: AssumptionSet,
    language: str | None = None,
) -> Mapping[str, Cause]:
    """Return the cause of each refusal that a mistake explains, by the check's id.

    Args:
        refused: the exchanges whose events were refused, by the check's id.
        valid: the exchanges of all valid events.
        secret: the receiver's secret.
        assumptions: they decide how events are signed.
        language: the receiver's language, whose mistakes come first; None if it is not known.
    """
    likely = sorted(_LIKELY, key=lambda each: language not in each.languages)
    wanted = {
        key: request
        for key, each in refused.items()
        if each.status in _REFUSALS and (request := _request(each, secret, assumptions)) is not None
    }
    accepted = [
        request
        for each in valid
        if each.is_accepted and (request := _request(each, secret, assumptions)) is not None
    ]
    found: dict[str, Cause] = {}
    while left := {key: request for key, request in wanted.items() if key not in found}:
        mistake, explained = _best(likely, left, accepted)
        if mistake is None:
            break
        found |= {key: _cause(mistake, wanted[key]) for key in explained}
    unexplained = {
        key: _OTHER_TEXT
        for key, each in refused.items()
        if each.status in _UNAUTHORISED and key not in found
    }
    return {**_told_alike(found), **unexplained}


def _request(exchange: Exchange, secret: str, assumptions: AssumptionSet) -> ReceivedRequest | None:
    if len(exchange.request.body) > _LONGEST_BODY or exchange.request.wire_fault is not None:
        return None
    try:
        return ReceivedRequest.of(
            exchange.request.body, secret, headers=exchange.request.headers, assumptions=assumptions
        )
    except InvalidSignature:
        return None


def _best(
    likely: Sequence[ContentMistake],
    refused: Mapping[str, ReceivedRequest],
    accepted: Sequence[ReceivedRequest],
) -> tuple[ContentMistake | None, Sequence[str]]:
    """Return the mistake that explains the most refusals, the likely ones first."""
    best: tuple[ContentMistake | None, Sequence[str]] = (None, ())
    for mistake in likely:
        explained = [key for key, request in refused.items() if _refuses(mistake, request)]
        if len(explained) > len(best[1]) and not any(_refuses(mistake, each) for each in accepted):
            best = (mistake, explained)
    return best


def _refuses(mistake: ContentMistake, request: ReceivedRequest) -> bool:
    """Return whether a receiver with this mistake hashes another text than the right one."""
    if mistake.name not in _SERIALISERS:
        return any(True for _ in mistake.computes(request))
    # A mistake leaves out what another one writes alike. Here, all that it writes counts.
    serialiser = _SERIALISERS[mistake.name]
    with suppress(RefusedText, ValueError, RecursionError):
        text = serialiser.text(
            request.tree["payload"], may_have_surrogates=request.has_escaped_surrogates
        )
        return to_utf8(text) != request.signed_bytes
    return True


def _cause(mistake: ContentMistake, request: ReceivedRequest) -> Cause:
    contents = (each for each in mistake.contents(request) if each != request.signed_bytes)
    content = next(contents, request.signed_bytes)
    return Cause(
        what=mistake.saying(request, content).to_receiver(),
        languages=tuple(each.value for each in mistake.languages),
        fix={each.value: mistake.repair(each, request) for each in Language},
    )


def _told_alike(found: Mapping[str, Cause]) -> Mapping[str, Cause]:
    """Return the causes with one set of words for each mistake: those of its first event."""
    first: dict[str, Cause] = {}
    for cause in found.values():
        first.setdefault(cause.what.partition(",")[0], cause)
    return {key: first[cause.what.partition(",")[0]] for key, cause in found.items()}
