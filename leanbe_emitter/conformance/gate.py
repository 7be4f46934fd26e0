"""Why the plain control may be refused, as far as the answer alone tells."""

from http import HTTPStatus

from leanbe_emitter.conformance.client import Exchange

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
