"""One attempt: what was claimed goes in, what becomes of it comes out.

The stored body is sent, byte for byte, on every attempt. Only faults and two assumptions,
``restamp_on_retry`` and ``resign_queued``, build another one; the attempt then keeps what was sent.
An envelope that is built again is signed with the secret that is valid then (contract c.1).

Most attempts are plain: by the article, with the stored body, and without a fault. Those need no
task where the transport can do without one (``Sender.begin``); all others are made by
``Sender.send``. Both leave the same evidence.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from leanbe_emitter.clock import Clock, from_milliseconds, milliseconds_of, stopwatch
from leanbe_emitter.delivery.attempt.fault_transport import misbehaving, state_under
from leanbe_emitter.delivery.attempt.retry_schedule import Facts, classify, next_delay_seconds
from leanbe_emitter.delivery.claims import Claimed, Evidence, Headers, Settlement, WebhookSettings
from leanbe_emitter.delivery.network.redirects import RedirectingTransport
from leanbe_emitter.delivery.network.transport import (
    VERIFY,
    Answer,
    CallbackTransport,
    OutgoingRequest,
    PreparedRequest,
    TlsSettings,
    Transport,
    Unknown,
    Unreachable,
    compose_headers,
)
from leanbe_emitter.errors import FaultNeedsWire
from leanbe_emitter.storage.queries.clock import stands_still
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome
from leanbe_emitter.targets import TargetRules
from leanbe_emitter.wire.assumptions.catalogue import SettledAt
from leanbe_emitter.wire.assumptions.lookup import ARTICLE, assumption, deviations, read
from leanbe_emitter.wire.assumptions.reading import AssumptionSet
from leanbe_emitter.wire.envelope import payload_text_of
from leanbe_emitter.wire.faults.catalogue import Misbehaviour
from leanbe_emitter.wire.faults.fault_bodies import Draft, altered, redrafted

#: How many kinds of requests are kept prepared.
_PREPARED_REQUESTS = 4096


@dataclass(frozen=True, kw_only=True)
class _Content:
    """What is sent: the event's own body and headers, or others that somebody asks for."""

    body: str
    headers: Headers
    is_own: bool


class _Prepared(NamedTuple):
    """A request without its body, and what evidence tells of it."""

    url: str
    headers: Headers
    request: PreparedRequest


class Sender:
    """Makes single attempts.

    Args:
        transport: what carries the request.
        clock: tells the instants of attempts and retries.
        jitter: the source of chance for the retry schedule; None for its waits as they are.
        rules: what may be called: redirects are checked by them.
        on_fault_error: called with the error where a fault cannot be applied to its receiver; the
            attempt is recorded as unreachable.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Clock,
        jitter: random.Random | None,
        rules: TargetRules,
        on_fault_error: Callable[[FaultNeedsWire], object] = lambda _: None,
    ) -> None:
        self._transport = transport
        self._callbacks = transport if isinstance(transport, CallbackTransport) else None
        self._prepared: dict[tuple[object, ...], _Prepared] = {}
        self._following = RedirectingTransport(transport, rules=rules)
        self._clock = clock
        self._now_ms = milliseconds_of(clock)
        self._jitter = jitter
        self._on_fault_error = on_fault_error

    async def send(self, claimed: Claimed) -> Settlement:
        """Make the attempt and say what becomes of the delivery; raises nothing of the network's.

        Cancelled in the middle, the attempt is ``unknown``: its bytes may have gone out.
        """
        reading = _reading(claimed)
        content = self._content(claimed, reading)
        request = _request(claimed, content, reading)
        started_at, watch = self._now_ms(), stopwatch()
        result = await self._carry(request, reading, claimed.fault)
        evidence = _evidence(
            claimed,
            result,
            reading,
            started_at=started_at,
            duration_us=_microseconds_since(watch),
            url=request.url,
            headers=request.headers,
            body=None if content.is_own else content.body,
        )
        return self._settlement(claimed, evidence, reading)

    def begin(
        self, claimed: Claimed, ended: Callable[["PlainAttempt"], object]
    ) -> "PlainAttempt | None":
        """Begin a plain attempt without a task.

        Args:
            claimed: what is sent.
            ended: is told when the attempt has ended, once, and not before this has returned; it
                is not told of one that is cancelled.

        Returns:
            None where the attempt takes a task: nothing was done then, and ``send`` makes it.
        """
        if self._callbacks is None or claimed.fault is not None or _reading(claimed) is not ARTICLE:
            return None
        body = claimed.body.encode(errors="surrogateescape")
        try:
            prepared = self._prepare(self._callbacks, claimed, len(body))
        except Unreachable:
            return None  # the way with a task meets it as well, and puts it on record
        attempt = PlainAttempt(
            claimed, prepared, started_at=self._now_ms(), settle=self._settlement, ended=ended
        )
        return attempt if attempt.is_begun_with(body) else None

    def _prepare(
        self, transport: CallbackTransport, claimed: Claimed, body_bytes: int
    ) -> _Prepared:
        webhook = claimed.webhook
        kind = (
            webhook.url,
            claimed.method,
            claimed.headers,
            body_bytes,
            webhook.ca_file,
            webhook.insecure,
        )
        prepared = self._prepared.get(kind)
        if prepared is None:
            if len(self._prepared) >= _PREPARED_REQUESTS:
                self._prepared.clear()
            own = _Content(body=claimed.body, headers=claimed.headers, is_own=True)
            request = _request(claimed, own, ARTICLE)
            prepared = _Prepared(request.url, request.headers, transport.prepare(request))
            self._prepared[kind] = prepared
        return prepared

    async def _carry(
        self, request: OutgoingRequest, reading: AssumptionSet, fault: Misbehaviour | None
    ) -> Answer | Unreachable | Unknown:
        transport = self._following if reading.follow_redirects else self._transport
        if fault is not None:
            transport = misbehaving(fault, transport, wire=self._transport)
        try:
            return await transport.send(request)
        except (Unreachable, Unknown) as failure:
            return failure
        except FaultNeedsWire as error:
            self._on_fault_error(error)
            return Unreachable(str(error))

    def _content(self, claimed: Claimed, reading: AssumptionSet) -> _Content:
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

    def _settlement(
        self, claimed: Claimed, evidence: Evidence, reading: AssumptionSet
    ) -> Settlement:
        now = self._now_ms()
        delay = self._delay(claimed, evidence, reading, now)
        state = _state(evidence.outcome, delay)
        if claimed.fault is not None and state_under(claimed.fault, state) is not state:
            state, delay = state_under(claimed.fault, state), None
        return claimed.settlement(
            state=state, due_at=now + int((delay or 0) * 1000), evidence=evidence
        )

    def _delay(
        self, claimed: Claimed, evidence: Evidence, reading: AssumptionSet, now: int
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
        return next_delay_seconds(
            facts, assumptions=reading, jitter=jitter, now=from_milliseconds(now)
        )


class PlainAttempt:
    """A plain attempt that is under way without a task.

    Args:
        claimed: what is sent.
        prepared: its request.
        started_at: the present instant in milliseconds since 1970.
        settle: says what becomes of the delivery by the evidence of this attempt.
        ended: is told when it has ended.
    """

    __slots__ = (
        "_claimed",
        "_duration_us",
        "_ended",
        "_is_cancelled",
        "_prepared",
        "_request",
        "_result",
        "_settle",
        "_started_at",
        "_watch",
    )

    def __init__(
        self,
        claimed: Claimed,
        prepared: _Prepared,
        *,
        started_at: int,
        settle: Callable[[Claimed, Evidence, AssumptionSet], Settlement],
        ended: Callable[["PlainAttempt"], object],
    ) -> None:
        self._claimed = claimed
        self._prepared = prepared
        self._started_at = started_at
        self._settle = settle
        self._ended = ended
        self._is_cancelled = False
        self._watch = stopwatch()

    def is_begun_with(self, body: bytes) -> bool:
        """Send the request; return False where that takes a task, and nothing was done."""
        request = self._prepared.request.begin(body, self._came)
        if request is None:
            return False
        self._request = request
        return True

    def cancel(self) -> None:
        """Break it off; nobody is told. Its bytes may have gone out."""
        self._is_cancelled = True
        self._request.cancel()

    def cancelled(self) -> bool:
        """Say whether it was broken off before it ended."""
        return self._is_cancelled

    def settlement(self) -> Settlement:
        """Return what becomes of the delivery, once the attempt has ended."""
        evidence = _evidence(
            self._claimed,
            self._result,
            ARTICLE,
            started_at=self._started_at,
            duration_us=self._duration_us,
            url=self._prepared.url,
            headers=self._prepared.headers,
        )
        return self._settle(self._claimed, evidence, ARTICLE)

    def _came(self, result: Answer | Unknown) -> None:
        self._duration_us = _microseconds_since(self._watch)
        self._result = result
        self._ended(self)


def _reading(claimed: Claimed) -> AssumptionSet:
    own, overrides = claimed.webhook.assumptions, claimed.overrides
    return read({**own, **overrides}) if own or overrides else ARTICLE


def _request(claimed: Claimed, content: _Content, reading: AssumptionSet) -> OutgoingRequest:
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


def _evidence(  # noqa: PLR0913 - what there is to tell of an attempt
    claimed: Claimed,
    result: Answer | Unreachable | Unknown,
    reading: AssumptionSet,
    *,
    started_at: int,
    duration_us: int,
    url: str,
    headers: Headers,
    body: str | None = None,
) -> Evidence:
    """Return what is kept of an attempt: of an answer that broke off, the part that came."""
    answer = _answer_of(result)
    return Evidence(
        outcome=classify(result, reading),
        started_at=started_at,
        duration_us=duration_us,
        url=url,
        request_headers=headers,
        request_body=body,
        answer_status=None if answer is None else answer.status,
        answer_headers=None if answer is None else answer.headers,
        answer_body=None if answer is None else answer.body,
        answer_length=0 if answer is None else answer.body_length,
        error=(result.remark or None) if isinstance(result, Answer) else result.reason,
        fault=None if claimed.fault is None else str(claimed.fault),
        deviations=_deviations(claimed, reading),
    )


def _answer_of(result: Answer | Unreachable | Unknown) -> Answer | None:
    if isinstance(result, Answer):
        return result
    return result.answer if isinstance(result, Unknown) else None


def _microseconds_since(watch: float) -> int:
    return int((stopwatch() - watch) * 1_000_000)


def _state(outcome: Outcome, delay: float | None) -> DeliveryState:
    if outcome is Outcome.DELIVERED:
        return DeliveryState.DELIVERED
    return DeliveryState.EXHAUSTED if delay is None else DeliveryState.WAITING


def _deviations(claimed: Claimed, reading: AssumptionSet) -> dict[str, str]:
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
