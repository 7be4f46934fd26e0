"""Forwarding: the receiver passes a request on to another receiver, and gets its answer.

Headers that concern one connection only (RFC 9110, 7.6.1) are dropped in both directions. The body
is the sender's, byte for byte.
"""

from collections.abc import Iterable, Iterator, Sequence

from leanbe_emitter.delivery.network.answer_reader import MOST_BARREN_BYTES, MOST_BYTES
from leanbe_emitter.delivery.network.http1 import Http1Transport
from leanbe_emitter.delivery.network.transport import (
    Answer,
    AnswerLimits,
    OutgoingRequest,
    Unknown,
    Unreachable,
)
from leanbe_emitter.errors import InvalidTarget, OutOfDescriptors
from leanbe_emitter.host_syntax import is_loopback
from leanbe_emitter.target_rules import Target, TargetRules, check_url

#: The time for the target's whole answer, in seconds.
TIMEOUT_SECONDS = 10.0
#: Methods that are passed on. The answer to HEAD has no body, whatever its length says.
METHODS = frozenset({"DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"})

_LOOPBACK = ("localhost", "127.0.0.0/8", "::1/128")
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
#: What the transport sets itself.
_OF_THE_REQUEST = frozenset({"host", "content-length", "expect"})


class NotForwarded(Exception):
    """The target gave no answer; the message says why."""


class Forwarder:
    """Passes requests on to one URL.

    Args:
        url: the target; the requests' own paths are ignored.
        allow: hosts and CIDRs beside the loopback to which the URL may lead.
        timeout_seconds: the time for the target's whole answer.

    Raises:
        InvalidTarget: the URL is no http or https URL, or leads elsewhere.
    """

    def __init__(
        self, url: str, *, allow: tuple[str, ...] = (), timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        rules = TargetRules(only=(*_LOOPBACK, *allow))
        self._timeout_seconds = timeout_seconds
        self._url = _checked(url, rules, allow=allow)
        self._authority = Target.of(url).authority
        limits = AnswerLimits(answer_bytes=MOST_BYTES, header_bytes=MOST_BARREN_BYTES)
        self._transport = Http1Transport(rules=rules, limits=limits)

    async def send(
        self, method: str, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> Answer:
        """Pass one request on, once, and return the answer without the headers of its connection.

        Raises:
            NotForwarded: no complete answer came in time.
        """
        if method not in METHODS:
            raise NotForwarded(f"the method {method} is not passed on")
        texts = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
        own = [each for each in end_to_end(texts) if each[0].lower() not in _OF_THE_REQUEST]
        request = OutgoingRequest(
            method=method,
            url=self._url,
            headers=(("Host", self._authority), *own, ("Content-Length", str(len(body)))),
            body=body,
            timeout_seconds=self._timeout_seconds,
        )
        try:
            return await self._transport.send(request)
        except (Unreachable, Unknown) as error:
            raise NotForwarded(error.reason) from error
        except OutOfDescriptors as error:
            raise NotForwarded(error.message) from error

    async def aclose(self) -> None:
        """Close the connections to the target."""
        await self._transport.aclose()


def end_to_end(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the headers that do not concern one connection only."""
    listed = list(headers)
    named = {
        word.strip().lower()
        for name, value in listed
        if name.lower() == "connection"
        for word in value.split(",")
    }
    for name, value in listed:
        if name.lower() not in _HOP_BY_HOP | named:
            yield name, value


def _checked(url: str, rules: TargetRules, *, allow: tuple[str, ...]) -> str:
    """Return the URL; a name that is allowed by its address is checked at each connection."""
    check_url(url, TargetRules(allow=(*_LOOPBACK, *allow)))
    host = Target.of(url).host
    is_local = is_loopback(host) or host.endswith(".localhost")
    if not (is_local or (allow and _is_allowed(url, rules))):
        raise InvalidTarget(
            f"The receiver forwards to this machine, and {host} is another one.",
            hint=f"To forward there, give --allow-targets {host}.",
        )
    return url


def _is_allowed(url: str, rules: TargetRules) -> bool:
    try:
        check_url(url, rules)
    except InvalidTarget:
        return False
    return True
