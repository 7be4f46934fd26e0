"""Single requests without a database: what ``send`` makes. Nothing is stored."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from leanbe_emitter.clock import Clock, SystemClock, from_milliseconds, to_milliseconds
from leanbe_emitter.delivery.attempt.sender import Sender
from leanbe_emitter.delivery.attempt.single_request import single_request
from leanbe_emitter.delivery.network.http1 import Http1Transport
from leanbe_emitter.delivery.network.transport import AnswerLimits
from leanbe_emitter.delivery.queue_types import Claimed, Settlement, WebhookSettings
from leanbe_emitter.delivery.watching import Attempt, Watcher, attempt_begun, attempt_made
from leanbe_emitter.domain.products import DEFAULT_OWNER
from leanbe_emitter.domain.webhooks import check_ca_file, check_secret
from leanbe_emitter.errors import InvalidValue, LeanbeError
from leanbe_emitter.header_rules import check_headers
from leanbe_emitter.hints import Hint
from leanbe_emitter.ids import Ids
from leanbe_emitter.library.runtime.loop_runner import require_no_loop, require_no_receiver
from leanbe_emitter.library.trigger.synthetic_events import NO_CHANGES, Author, Changes
from leanbe_emitter.outbox import triggered_at
from leanbe_emitter.settings import Settings
from leanbe_emitter.target_rules import check_url
from leanbe_emitter.wire.assumptions.parsing import check_assumption, parse_assumptions
from leanbe_emitter.wire.envelope import seal
from leanbe_emitter.wire.instants import parse_instant
from leanbe_emitter.wire.stringify import JSON, parse, stringify

if TYPE_CHECKING:
    from leanbe_emitter.wire.explain.probe import ProbeResult

#: The product that the samples of ``send`` name.
SAMPLE_PRODUCT_NAME = "Acme"


@dataclass(frozen=True, kw_only=True)
class WebhookTarget:
    """The URL, the secret and the TLS settings of a webhook that single requests are sent to."""

    url: str
    secret: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    ca_file: str | None = None
    insecure: bool = False


class OneShotSender:
    """Sends single requests, each once.

    Args:
        target: the webhook that the requests are sent to.
        assume: the assumptions of these requests.
        settings: limits and allowed targets.
        clock: the source of time; the machine's clock by default.
        ids: the source of the samples' ids.
        watcher: gets a call for each attempt.

    Raises:
        InvalidTarget: the settings do not allow the URL.
        InvalidValue: a secret, a header, a file of certificate authorities, or an assumption that
            is refused.
    """

    def __init__(  # noqa: PLR0913 - a webhook, and what Leanbe is given
        self,
        target: WebhookTarget,
        *,
        assume: Mapping[str, str] | None = None,
        settings: Settings | None = None,
        clock: Clock | None = None,
        ids: Ids | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self._settings = settings or Settings()
        self._assume = {
            name: check_assumption(name, value)
            for name, value in {**self._settings.assume, **(assume or {})}.items()
        }
        self._assumptions = parse_assumptions(self._assume)
        self._rules = replace(self._settings.target_rules, exposed=False)
        check_url(target.url, self._rules, require_https=self._assumptions.require_https)
        check_secret(target.secret)
        self._headers = check_headers(target.headers)
        self._target = target
        self._ca_file = target.ca_file and check_ca_file(target.ca_file)
        self._clock = clock or SystemClock()
        self._ids = ids or Ids()
        self._watcher = watcher or Watcher()

    def send_sample(self, event: str, changes: Changes = NO_CHANGES) -> Attempt:
        """Send a sample of an event, with changes.

        Raises:
            Conflict: this thread runs an event loop.
            InvalidValue: an unknown event, a wrong path, or a payload that does not match.
        """
        (new,) = self._author(changes).write([event])
        instant = triggered_at(
            now=to_milliseconds(self._clock.now()),
            last=0,
            document_updated_at=new.document_updated_at,
        )
        return self._send(self._sealed(new.payload_text, event, instant))

    def send_body(self, body: bytes, *, as_is: bool = False) -> Attempt:
        """Sign the caller's envelope and send it; with ``as_is``, send the bytes unchanged.

        A signed envelope keeps its ``triggeredAt`` if that is a valid instant.

        Raises:
            Conflict: this thread runs an event loop.
            InvalidValue: the body is no envelope, and ``as_is`` is not set.
        """
        if as_is:
            text = body.decode(errors="surrogateescape")
            headers = [("Content-Type", self._assumptions.content_type)]
            return self._send(self._claimed(text, "", 0, headers))
        envelope = _envelope_of(body)
        return self._send(
            self._sealed(
                stringify(
                    envelope["payload"],
                    max_depth=self._settings.max_depth,
                    max_bytes=self._settings.max_payload_bytes,
                ),
                envelope["event"],
                self._instant_of(envelope.get("triggeredAt")),
            )
        )

    def probe(
        self, *, lang: str | None = None, other_secrets: Iterable[tuple[str, str]] = ()
    ) -> "ProbeResult":
        """Ask the receiver which mistake it makes with the signature.

        It gets up to some hundred requests, each signed as a known mistake would sign it. It may
        act on those that it accepts.

        Args:
            lang: the receiver's language, such as ``php``, for the repair.
            other_secrets: labels and secrets that the receiver may use by mistake.

        Raises:
            Conflict: this thread runs an event loop.
            InvalidValue: there are no repairs for the language.
        """
        require_no_receiver()
        require_no_loop()
        return asyncio.run(self._probed(lang, other_secrets))

    def _sealed(self, payload_text: str, event: str, instant: int) -> Claimed:
        sealed = seal(
            payload_text,
            event=event,
            triggered_at=from_milliseconds(instant),
            secret=self._target.secret,
            assumptions=self._assumptions,
        )
        return self._claimed(sealed.body, event, instant, sealed.headers)

    def _claimed(
        self, body: str, event: str, instant: int, headers: Iterable[tuple[str, str]]
    ) -> Claimed:
        return single_request(
            self._webhook(),
            event=event,
            triggered_at=instant,
            headers=(*headers, *self._headers),
            body=body,
            assume=self._assume,
            now=to_milliseconds(self._clock.now()),
        )

    def _webhook(self) -> WebhookSettings:
        return WebhookSettings(
            url=self._target.url,
            secret=self._target.secret,
            ca_file=self._ca_file,
            insecure=self._target.insecure,
            assumptions={},
        )

    def _send(self, claimed: Claimed) -> Attempt:
        require_no_receiver()
        require_no_loop()
        self._watcher.started(attempt_begun(claimed, at=self._clock.now()))
        attempt = attempt_made(claimed, asyncio.run(self._send_once(claimed)))
        self._watcher.ended(attempt)
        return attempt

    async def _send_once(self, claimed: Claimed) -> Settlement:
        async with self._sender() as sender:
            return await sender.send(claimed)

    async def _probed(
        self, lang: str | None, other_secrets: Iterable[tuple[str, str]]
    ) -> "ProbeResult":
        # A probe loads the imitations of many serialisers; few programs need one.
        from leanbe_emitter.delivery.probing.conversation import sample_events  # noqa: PLC0415
        from leanbe_emitter.delivery.probing.prober import prober_of  # noqa: PLC0415

        async with self._sender() as sender:
            prober = prober_of(
                self._webhook(),
                settled_by=sender.send,
                headers=tuple(self._headers),
                assume=self._assume,
                clock=self._clock,
                ids=self._ids,
                lang=lang,
                other_secrets=other_secrets,
            )
            now = self._clock.now()
            events = sample_events(
                product=self._product(now), ids=self._ids, now=now, assumptions=self._assumptions
            )
            return await prober.probe(events)

    @asynccontextmanager
    async def _sender(self) -> AsyncIterator[Sender]:
        transport = Http1Transport(rules=self._rules, limits=AnswerLimits.of(self._settings))
        try:
            yield Sender(transport, clock=self._clock, jitter=None, rules=self._rules)
        finally:
            await transport.aclose()

    def _product(self, now: datetime) -> dict[str, JSON]:
        return {"_id": self._ids.object_id(now), "name": SAMPLE_PRODUCT_NAME}

    def _author(self, changes: Changes) -> Author:
        now = self._clock.now()
        owner: dict[str, JSON] = {
            "_id": self._ids.object_id(now),
            "firstName": DEFAULT_OWNER["first_name"],
            "email": DEFAULT_OWNER["email"],
        }
        return Author(
            changes=changes,
            product=self._product(now),
            owner=owner,
            assumptions=self._assumptions,
            request_assumptions={},
            ids=self._ids,
            now=now,
            max_depth=self._settings.max_depth,
            max_payload_bytes=self._settings.max_payload_bytes,
        )

    def _instant_of(self, text: JSON) -> int:
        """Return the envelope's instant; if it is no valid instant, the present one."""
        try:
            return to_milliseconds(parse_instant(str(text)))
        except LeanbeError:
            return to_milliseconds(self._clock.now())


def _envelope_of(body: bytes) -> dict[str, JSON]:
    # The API has no request that sends an envelope.
    as_is = Hint(call="as_is=True", command="--as-is", request="as_is=True")
    hint = as_is.between("An envelope has a payload and an event's name; ", " sends any body.")
    try:
        envelope = parse(body.decode())
    except (UnicodeDecodeError, LeanbeError) as error:
        raise InvalidValue(f"The body is no JSON text: {error}", hint=hint) from error
    if (
        isinstance(envelope, dict)
        and "payload" in envelope
        and isinstance(envelope.get("event"), str)
    ):
        return envelope
    raise InvalidValue("The body is no envelope of Leanbe's.", hint=hint)
