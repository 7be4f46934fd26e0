"""One attempt: what was claimed goes in, what becomes of it comes out.

The stored body is sent, byte for byte, on every attempt. Only faults and two assumptions,
``restamp_on_retry`` and ``resign_queued``, build another one; the attempt then keeps what was sent.
An envelope that is built again is signed with the secret that is valid then (contract c.1).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leanbe_emitter.clock import Clock, from_milliseconds, stopwatch, to_milliseconds
from leanbe_emitter.delivery.claims import Claimed, Evidence, Headers, Settlement, WebhookSettings
from leanbe_emitter.delivery.misbehaving import misbehaving, state_under
from leanbe_emitter.delivery.outcome import classify
from leanbe_emitter.delivery.redirects import FollowingTransport
from leanbe_emitter.delivery.schedule import Facts, next_delay_seconds
from leanbe_emitter.delivery.transport import (
    VERIFY,
    Answer,
    OutgoingRequest,
    TlsSettings,
    Transport,
    Unknown,
    Unreachable,
    compose_headers,
)
from leanbe_emitter.errors import FaultNeedsWire
from leanbe_emitter.storage.clocks import stands_still
from leanbe_emitter.storage.states import DeliveryState, Outcome
from leanbe_emitter.targets import TargetRules
from leanbe_emitter.wire.ambiguities import SettledAt
from leanbe_emitter.wire.assumptions import ARTICLE, assumption, deviations, read
from leanbe_emitter.wire.envelope import payload_text_of
from leanbe_emitter.wire.faults import Misbehaviour
from leanbe_emitter.wire.misshapen import Draft, altered, redrafted
from leanbe_emitter.wire.reading import Reading


@dataclass(frozen=True, kw_only=True)
class _Content:
    """What is sent: the event's own body and headers, or others that somebody asks for."""

    body: str
    headers: Headers
    is_own: bool


class Sender:
    """Makes single attempts.

    Args:
        transport: what carries the request.
        clock: tells the instants of attempts and retries.
        jitter: the source of chance for the retry schedule; None for its waits as they are.
        rules: what may be called: redirects are checked by them.
        on_misfit: told of a fault that cannot be done to its receiver; the attempt is on record as
            unreachable.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Clock,
        jitter: random.Random | None,
        rules: TargetRules,
        on_misfit: Callable[[FaultNeedsWire], object] = lambda _: None,
    ) -> None:
        self._transport = transport
        self._following = FollowingTransport(transport, rules=rules)
        self._clock = clock
        self._jitter = jitter
        self._on_misfit = on_misfit

    async def send(self, claimed: Claimed) -> Settlement:
        """Make the attempt and say what becomes of the delivery; raises nothing of the network's.

        Cancelled in the middle, the attempt is ``unknown``: its bytes may have gone out.
        """
        reading = _reading(claimed)
        content = self._content(claimed, reading)
        request = _request(claimed, content, reading)
        started_at, watch = to_milliseconds(self._clock.now()), stopwatch()
        result = await self._carry(request, reading, claimed.fault)
        evidence = Evidence(
            outcome=classify(result, reading),
            started_at=started_at,
            duration_us=int((stopwatch() - watch) * 1_000_000),
            url=request.url,
            request_headers=request.headers,
            request_body=None if content.is_own else content.body,
            **_answer_columns(result),
            fault=None if claimed.fault is None else str(claimed.fault),
            deviations=_deviations(claimed, reading),
        )
        return self._settlement(claimed, evidence, reading)

    async def _carry(
        self, request: OutgoingRequest, reading: Reading, fault: Misbehaviour | None
    ) -> Answer | Unreachable | Unknown:
        transport = self._following if reading.follow_redirects else self._transport
        if fault is not None:
            transport = misbehaving(fault, transport, wire=self._transport)
        try:
            return await transport.send(request)
        except (Unreachable, Unknown) as failure:
            return failure
        except FaultNeedsWire as error:
            self._on_misfit(error)
            return Unreachable(str(error))

    def _content(self, claimed: Claimed, reading: Reading) -> _Content:
        restamps = reading.restamp_on_retry and claimed.number > 1
        if not (restamps or reading.resign_queued or claimed.fault):
            return _Content(body=claimed.body, headers=claimed.headers, is_own=True)
        draft = self._draft(claimed, restamps=restamps)
        wanted = draft if claimed.fault is None else redrafted(draft, claimed.fault)
        body, headers = claimed.body, claimed.headers
        if restamps or reading.resign_queued or wanted is not draft:
            sealed = wanted.sealed()
            # The product's own headers stand behind those that the envelope has without a fault.
            own = headers[len((sealed if wanted is draft else draft.sealed()).headers) :]
            body, headers = sealed.body, (*sealed.headers, *own)
        if claimed.fault is not None:
            body = altered(body, claimed.fault)
        return _Content(body=body, headers=headers, is_own=body == claimed.body)

    def _draft(self, claimed: Claimed, *, restamps: bool) -> Draft:
        instant = from_milliseconds(claimed.triggered_at)
        if restamps:
            # After a burst, or when the clock went back, the event itself is ahead of the clock.
            instant = max(instant, self._clock.now())
        return Draft(
            payload_text=payload_text_of(claimed.body),
            event=claimed.event_name,
            triggered_at=instant,
            secret=claimed.webhook.secret,
            # What shapes the bytes was settled when the event was recorded.
            reading=read(claimed.deviations),
        )

    def _settlement(self, claimed: Claimed, evidence: Evidence, reading: Reading) -> Settlement:
        now = self._clock.now()
        delay = self._delay(claimed, evidence, reading, now)
        state = _state(evidence.outcome, delay)
        if claimed.fault is not None and state_under(claimed.fault, state) is not state:
            state, delay = state_under(claimed.fault, state), None
        return claimed.settlement(
            state=state, due_at=to_milliseconds(now) + int((delay or 0) * 1000), evidence=evidence
        )

    def _delay(
        self, claimed: Claimed, evidence: Evidence, reading: Reading, now: datetime
    ) -> float | None:
        if evidence.outcome is Outcome.DELIVERED:
            return None
        facts = Facts(
            attempts_counted=claimed.attempts_counted + 1,
            outcome=evidence.outcome,
            answer_status=evidence.answer_status,
            retry_after=_header(evidence.answer_headers, "retry-after"),
        )
        # On a manual clock they do not come by themselves, and are to be the same in every run.
        jitter = None if stands_still(self._clock) else self._jitter
        return next_delay_seconds(facts, reading=reading, jitter=jitter, now=now)


def _reading(claimed: Claimed) -> Reading:
    own, overrides = claimed.webhook.assumptions, claimed.overrides
    return read({**own, **overrides}) if own or overrides else ARTICLE


def _request(claimed: Claimed, content: _Content, reading: Reading) -> OutgoingRequest:
    # A body that is sent as it is may be no UTF-8; every other one is.
    body = content.body.encode(errors="surrogateescape")
    url = claimed.webhook.url or ""
    return OutgoingRequest(
        method=claimed.method,
        url=url,
        headers=compose_headers(url, content_length=len(body), extra=content.headers),
        body=body,
        timeout_seconds=reading.timeout,
        tls=_tls(claimed.webhook),
    )


def _tls(webhook: WebhookSettings) -> TlsSettings:
    if webhook.ca_file is None and not webhook.insecure:
        return VERIFY
    return TlsSettings(ca_file=webhook.ca_file, insecure=webhook.insecure)


def _answer_columns(result: Answer | Unreachable | Unknown) -> dict[str, Any]:
    """Return what is kept of an answer, or of the part of it that came, and the error in words."""
    answer = result if isinstance(result, Answer) else getattr(result, "answer", None)
    error = (result.remark or None) if isinstance(result, Answer) else result.reason
    if answer is None:
        return {"error": error}
    return {
        "answer_status": answer.status,
        "answer_headers": answer.headers,
        "answer_body": answer.body,
        "answer_length": answer.body_length,
        "error": error,
    }


def _state(outcome: Outcome, delay: float | None) -> DeliveryState:
    if outcome is Outcome.DELIVERED:
        return DeliveryState.DELIVERED
    return DeliveryState.EXHAUSTED if delay is None else DeliveryState.WAITING


def _deviations(claimed: Claimed, reading: Reading) -> dict[str, str]:
    """Return the switches that were not the article's: of the bytes, and of this attempt."""
    if reading is ARTICLE and not claimed.deviations:
        return {}
    present = {
        name: value
        for name, value in deviations(reading).items()
        if assumption(name).settled_at is SettledAt.ATTEMPT
    }
    recorded = {
        name: value
        for name, value in claimed.deviations.items()
        if assumption(name).settled_at is SettledAt.RECORDING
    }
    return {**recorded, **present}


def _header(headers: Headers | None, wanted: str) -> str | None:
    return next((value for name, value in headers or () if name.lower() == wanted), None)
