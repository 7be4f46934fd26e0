"""Redirects, under the assumption ``follow_redirects = true`` (contract d-7): each hop is checked.

Methods and bodies change as in JavaScript's fetch: 307 and 308 keep both; 303 always, and 301 and
302 after a POST, become a GET without a body. One deadline covers all hops.

The webhook's own headers may hold tokens and signatures for its own server. So they are sent on
only while scheme, host and port stay the same, and do not come back later. (The envelope's
signature is in the body, and goes where the body goes.) A redirect from https to http is refused.

A redirect that is not followed is the answer, with a remark that says why: the receiver did answer.
"""

from dataclasses import replace
from urllib.parse import urldefrag, urljoin

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.delivery.network.transport import (
    Answer,
    OutgoingRequest,
    Transport,
    Unknown,
    Unreachable,
)
from leanbe_emitter.errors import InvalidTarget
from leanbe_emitter.header_rules import OF_EVERY_REQUEST
from leanbe_emitter.target_rules import Target, TargetRules, check_url

#: Most redirects that are followed.
MAX_REDIRECTS = 5

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_POST_BECOMES_GET = frozenset({301, 302})
_ALWAYS_GET = 303
_OF_THE_BODY = frozenset({"content-type", "content-length"})


class RedirectingTransport:
    """Transport that follows the redirects that another transport gets.

    Args:
        transport: sends each request.
        rules: where webhooks may point; every hop is checked.
    """

    def __init__(self, transport: Transport, *, rules: TargetRules) -> None:
        self._transport = transport
        self._rules = rules

    async def send(self, request: OutgoingRequest) -> Answer:
        """Send the request, follow redirects, and return the last answer."""
        # Not the loop's time: no loop has to run here.
        deadline = stopwatch() + request.timeout_seconds
        answer = await self._transport.send(request)
        hops = 0
        while _is_redirect(answer):
            if hops == MAX_REDIRECTS:
                return _remarked(answer, f"not followed: it is redirect number {hops + 1}")
            try:
                request = self._redirected(request, answer)
            except InvalidTarget as error:
                return _remarked(answer, f"not followed: {error}")
            left = replace(request, timeout_seconds=deadline - stopwatch())
            answer = await self._send_on(left, answer)
            hops += 1
        if not hops:
            return answer
        return _remarked(answer, f"redirect number {hops} led to {request.url}")

    async def aclose(self) -> None:
        """Close the transport that sends."""
        await self._transport.aclose()

    def _redirected(self, request: OutgoingRequest, answer: Answer) -> OutgoingRequest:
        url = self._location(request.url, answer)
        before, after = Target.of(request.url), Target.of(url)
        becomes_get = answer.status == _ALWAYS_GET or (
            answer.status in _POST_BECOMES_GET and request.method == "POST"
        )
        headers = []
        for name, value in request.headers:
            key = name.lower()
            if key == "host":
                headers.append((name, after.authority))
            elif not (becomes_get and key in _OF_THE_BODY) and (
                key in OF_EVERY_REQUEST or before.origin == after.origin
            ):
                headers.append((name, value))
        return replace(
            request,
            method="GET" if becomes_get else request.method,
            url=url,
            headers=tuple(headers),
            body=b"" if becomes_get else request.body,
        )

    def _location(self, url: str, answer: Answer) -> str:
        location = answer.header("location") or ""
        try:
            joined = urldefrag(urljoin(url, location)).url
        except ValueError as error:
            raise InvalidTarget("Its Location cannot be read.") from error
        checked = check_url(joined, self._rules)
        if Target.of(url).scheme == "https" and Target.of(checked).scheme != "https":
            raise InvalidTarget("It leads from https to http.")
        return checked

    async def _send_on(self, request: OutgoingRequest, redirect: Answer) -> Answer:
        """Send the next request; every failure is ``Unknown``, as the first request went out."""
        try:
            return await self._transport.send(request)
        except Unreachable as error:
            raise Unknown(f"after a redirect: {error.reason}", answer=redirect) from error
        except Unknown as error:
            raise Unknown(
                f"after a redirect: {error.reason}", answer=error.answer or redirect
            ) from error


def _is_redirect(answer: Answer) -> bool:
    return answer.status in _REDIRECTS and answer.header("location") is not None


def _remarked(answer: Answer, remark: str) -> Answer:
    return replace(answer, remark="; ".join(filter(None, (answer.remark, remark))))
