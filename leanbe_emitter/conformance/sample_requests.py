"""Requests of a run: their bytes, how they go out, and what a single one is made of."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from leanbe_emitter.conformance.events import USUAL_EVENT, Event, Events
from leanbe_emitter.delivery.network.transport import WireFault
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.envelope import SealedRequest, payload_text_of, seal, with_payload
from leanbe_emitter.wire.stringify import JSON, MAX_DEPTH, parse, stringify


@dataclass(frozen=True, kw_only=True)
class SampleRequest:
    """A request to send.

    Attributes:
        body: its bytes.
        headers: the content type and, under some assumptions, the signature.
        method: its method.
        event: the event's name, for people; empty if the body is no envelope.
        wire_fault: how the bytes go out; None: at once.
    """

    body: bytes = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    method: str
    event: str = ""
    wire_fault: WireFault | None = None

    def with_body(self, body: bytes) -> "SampleRequest":
        """Return the request with another body."""
        return replace(self, body=body)

    def with_header(self, name: str, value: str) -> "SampleRequest":
        """Return the request with another value of a header."""
        headers = tuple((key, value if key == name else old) for key, old in self.headers)
        return replace(self, headers=headers)

    def with_method(self, method: str) -> "SampleRequest":
        """Return the request with another method."""
        return replace(self, method=method)

    def with_wire_fault(self, fault: WireFault) -> "SampleRequest":
        """Return the request with other ways for its bytes."""
        return replace(self, wire_fault=fault)


class Sealer:
    """Makes requests of events, right ones and forged ones.

    Args:
        secret: the receiver's secret.
        assumptions: they decide on the formula and on the signature's place.
    """

    def __init__(self, secret: str, assumptions: AssumptionSet) -> None:
        self._secret = secret
        self._assumptions = assumptions

    def request(self, event: Event, *, secret: str | None = None) -> SampleRequest:
        """Return a rightly signed request; another secret makes it a forgery."""
        return self._shot_of(event, self._sealed(event, secret))

    def unsigned(self, event: Event) -> SampleRequest:
        """Return a request without a signature."""
        sealed = seal(
            stringify(event.payload),
            event=event.name,
            triggered_at=event.triggered_at,
            secret=None,
            assumptions=self._assumptions,
        )
        return self._shot_of(event, sealed)

    def with_signature(self, event: Event, change: Callable[[str], JSON]) -> SampleRequest:
        """Return a request whose signature is changed; a header takes texts only."""
        sealed = self._sealed(event)
        right, wrong = sealed.signature or "", change(sealed.signature or "")
        headers = tuple(
            (name, _in_header(wrong) if value == right else value) for name, value in sealed.headers
        )
        body = _SIGNATURE.sub(lambda found: found[1] + stringify(wrong), sealed.body)
        return self._shot_of(event, replace(sealed, body=body, headers=headers))

    def with_payload_behind(self, event: Event, change: Callable[[JSON], JSON]) -> SampleRequest:
        """Return a request whose payload was changed after it was signed."""
        sealed = self._sealed(event)
        changed = stringify(change(parse(payload_text_of(sealed.body))))
        return self._shot_of(event, replace(sealed, body=with_payload(sealed.body, changed)))

    def indented(self, event: Event) -> SampleRequest:
        """Return a request with an indented body; the signature is over the compact text."""
        sealed = self._sealed(event, assumptions=replace(self._assumptions, pretty_body=True))
        return self._shot_of(event, sealed)

    def reordered(self, event: Event) -> SampleRequest:
        """Return a request whose members stand in the reverse order."""
        request = self.request(event)
        members = parse(request.body.decode(), max_depth=MAX_DEPTH + 1)
        body = stringify(dict(reversed(members.items())), max_depth=MAX_DEPTH + 1)
        return request.with_body(body.encode())

    def raw(self, body: bytes) -> SampleRequest:
        """Return a request with any body."""
        return SampleRequest(
            body=body,
            headers=(("Content-Type", self._assumptions.content_type),),
            method=self._assumptions.method,
        )

    def _sealed(
        self, event: Event, secret: str | None = None, *, assumptions: AssumptionSet | None = None
    ) -> SealedRequest:
        return seal(
            stringify(event.payload),
            event=event.name,
            triggered_at=event.triggered_at,
            secret=self._secret if secret is None else secret,
            assumptions=assumptions or self._assumptions,
        )

    def _shot_of(self, event: Event, sealed: SealedRequest) -> SampleRequest:
        return SampleRequest(
            body=sealed.body.encode(),
            headers=tuple(sealed.headers),
            method=self._assumptions.method,
            event=event.name,
        )


_SIGNATURE = re.compile('("signature": ?)"[0-9a-f]{64}"(?=\\s*}\\s*$)')


def _in_header(value: JSON) -> str:
    text = value if isinstance(value, str) else stringify(value)
    return text.encode("ascii", "replace").decode()


@dataclass(frozen=True, kw_only=True)
class RequestFactory:
    """The parts of a single request.

    Attributes:
        events: makes fresh events.
        sealer: makes requests of them.
        event: the event whose forgeries are sent: one that has an effect, if that is known.
    """

    events: Events
    sealer: Sealer
    event: str = USUAL_EVENT

    def fresh(self) -> Event:
        """Return the event whose forgeries are sent, about a new document."""
        return self.events.plain(self.event)
