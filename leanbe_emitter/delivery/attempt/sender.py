"""Sender of single attempts: a claimed delivery in, its settlement out.

Every attempt sends the stored body, byte for byte. Only faults and two assumptions,
``restamp_on_retry`` and ``resign_queued``, build another body; the attempt then stores it. A new
envelope is signed with the secret that is valid at that time (contract c.1).

Most attempts are plain: they follow the article, send the stored body and commit no fault.
``Sender.begin`` makes them without a task, where the transport supports that. ``Sender.send`` makes
all others. Both leave the same evidence.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from leanbe_emitter.clock import Clock, from_milliseconds, milliseconds_of, stopwatch
from leanbe_emitter.delivery.attempt.fault_transport import state_under, with_fault
from leanbe_emitter.delivery.attempt.outcome import classify
from leanbe_emitter.delivery.attempt.retry_schedule import Facts, next_delay_seconds
from leanbe_emitter.delivery.network.redirects import RedirectingTransport
from leanbe_emitter.delivery.network.transport import (
    VERIFY,
    Answer,
    CallbackTransport,
    OutgoingRequest,
    PreparedRequest,
    RequestInFlight,
    TlsSettings,
    Transport,
    Unknown,
    Unreachable,
    compose_headers,
)
from leanbe_emitter.delivery.queue_types import Claimed, Evidence, Headers, Settlement
from leanbe_emitter.errors import FaultNeedsWire
from leanbe_emitter.storage.queries.stored_clock import stands_still
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome
from leanbe_emitter.target_rules import TargetRules
from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE, AssumptionSet
from leanbe_emitter.wire.assumptions.catalogue import SettledAt, assumption
from leanbe_emitter.wire.assumptions.parsing import changed_assumptions, parse_assumptions
from leanbe_emitter.wire.envelope import payload_text_of
from leanbe_emitter.wire.faults.bodies import Draft, apply_to_body, apply_to_draft
from leanbe_emitter.wire.faults.catalogue import FaultSpec

#: What an interrupted attempt came to.
_STOPPED = Unknown("The sender was stopped in the middle of this attempt.")
#: Largest number of prepared requests.
_PREPARED_REQUESTS = 4096


@dataclass(frozen=True, kw_only=True)
class _Content:
    """Body and headers to send: the stored ones, or those of a fault or an assumption."""

    body: str
    headers: Headers
    is_stored: bool


class _Prepared(NamedTuple):
    """Prepared request, and its URL and headers for the evidence."""

    url: str
    headers: Headers
    request: PreparedRequest


class _Begun(NamedTuple):
    """Attempt of ``Sender.send``, as it began."""

    content: _Content
    assumptions: AssumptionSet
    request: OutgoingRequest
    started_at: int
    watch: float

    def evidence(self, claimed: Claimed, result: Answer | Unreachable | Unknown) -> Evidence:
        """Return the evidence of the attempt, which ends now."""
        return _evidence(
            claimed,
            result,
            self.assumptions,
            started_at=self.started_at,
            duration_us=_microseconds_since(self.watch),
            url=self.request.url,
            headers=self.request.headers,
            body=None if self.content.is_stored else self.content.body,
        )


class Sender:
    """Make single attempts.

    Args:
        transport: sends the requests.
        clock: gives the instants of attempts and retries.
        jitter: the source of randomness for the retry schedule; None for its exact waits.
        rules: which targets may be called; redirects are checked against them.
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
        # Attempts of ``send`` in flight, and those that were interrupted, by delivery.
        self._begun: dict[str, _Begun] = {}
        self._rules = rules
        self._clock = clock
        self._now_ms = milliseconds_of(clock)
        self._jitter = jitter
        self._on_fault_error = on_fault_error

    async def send(self, claimed: Claimed) -> Settlement:
        """Make the attempt and return its settlement; errors of the network become outcomes.

        If this is cancelled, the attempt is ``unknown``: its bytes may have gone out. Then
        ``interrupted`` returns its settlement.

        Raises:
            OutOfDescriptors: this process can open no connection, so that no attempt was made.
        """
        begun = self._begun[claimed.delivery_id] = self._beginning(claimed)
        try:
            result = await self._carry(begun.request, begun.assumptions, claimed.fault)
        except Exception:
            del self._begun[claimed.delivery_id]
            raise
        evidence = begun.evidence(claimed, result)
        del self._begun[claimed.delivery_id]
        return self._settlement(claimed, evidence, begun.assumptions)

    def interrupted(self, claimed: Claimed) -> Settlement:
        """Return the settlement of an attempt whose ``send`` was cancelled.

        It is unknown, with everything that was known at its beginning, and due again at once.
        """
        begun = self._begun.pop(claimed.delivery_id, None) or self._beginning(claimed)
        return _interrupted(claimed, begun.evidence(claimed, _STOPPED), at=self._now_ms())

    def begin(
        self, claimed: Claimed, ended: Callable[["PlainAttempt"], object]
    ) -> "PlainAttempt | None":
        """Begin a plain attempt without a task.

        Args:
            claimed: the delivery.
            ended: called once when the attempt has ended, and not before this returns; it is not
                called for a cancelled attempt.

        Returns:
            None where the attempt needs a task: nothing was done, and ``send`` has to make it.
        """
        if (
            self._callbacks is None
            or claimed.fault is not None
            or _assumptions(claimed) is not ARTICLE
        ):
            return None
        body = claimed.body.encode(errors="surrogateescape")
        try:
            prepared = self._prepare(self._callbacks, claimed, len(body))
        except Unreachable:
            return None  # ``send`` meets the same error, and records it
        attempt = PlainAttempt(
            claimed, prepared, started_at=self._now_ms(), settle=self._settlement, ended=ended
        )
        request = prepared.request.begin(body, attempt.take_result)
        if request is None:
            return None
        attempt.request = request
        return attempt

    def _beginning(self, claimed: Claimed) -> _Begun:
        assumptions = _assumptions(claimed)
        content = self._content(claimed, assumptions)
        request = _request(claimed, content, assumptions)
        return _Begun(content, assumptions, request, self._now_ms(), stopwatch())

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
            own = _Content(body=claimed.body, headers=claimed.headers, is_stored=True)
            request = _request(claimed, own, ARTICLE)
            prepared = _Prepared(request.url, request.headers, transport.prepare(request))
            self._prepared[kind] = prepared
        return prepared

    async def _carry(
        self, request: OutgoingRequest, assumptions: AssumptionSet, fault: FaultSpec | None
    ) -> Answer | Unreachable | Unknown:
        transport = self._transport
        if assumptions.follow_redirects:
            transport = RedirectingTransport(transport, rules=self._rules)
        if fault is not None:
            transport = with_fault(fault, transport, wire=self._transport)
        try:
            return await transport.send(request)
        except (Unreachable, Unknown) as failure:
            return failure
        except FaultNeedsWire as error:
            self._on_fault_error(error)
            return Unreachable(str(error))

    def _content(self, claimed: Claimed, assumptions: AssumptionSet) -> _Content:
        restamps = assumptions.restamp_on_retry and claimed.number > 1
        if not (restamps or assumptions.resign_queued or claimed.fault):
            return _Content(body=claimed.body, headers=claimed.headers, is_stored=True)
        draft = self._draft(claimed, restamps=restamps)
        sent_draft = draft if claimed.fault is None else apply_to_draft(draft, claimed.fault)
        body, headers = claimed.body, claimed.headers
        if restamps or assumptions.resign_queued or sent_draft is not draft:
            sealed = sent_draft.sealed()
            # The product's own headers follow those that the envelope has without a fault.
            own = headers[len((sealed if sent_draft is draft else draft.sealed()).headers) :]
            body, headers = sealed.body, (*sealed.headers, *own)
        if claimed.fault is not None:
            body = apply_to_body(body, claimed.fault)
        return _Content(body=body, headers=headers, is_stored=body == claimed.body)

    def _draft(self, claimed: Claimed, *, restamps: bool) -> Draft:
        instant = from_milliseconds(claimed.triggered_at)
        if restamps:
            # The event may be ahead of the clock: after a burst, or after the clock went back.
            instant = max(instant, self._clock.now())
        return Draft(
            payload_text=payload_text_of(claimed.body),
            event=claimed.event_name,
            triggered_at=instant,
            secret=claimed.webhook.secret,
            # Assumptions about the bytes were fixed when the event was recorded.
            assumptions=parse_assumptions(claimed.event_assumptions),
        )

    def _settlement(
        self, claimed: Claimed, evidence: Evidence, assumptions: AssumptionSet
    ) -> Settlement:
        now = self._now_ms()
        delay = self._delay(claimed, evidence, assumptions, now)
        state = _state(evidence.outcome, delay)
        if claimed.fault is not None and state_under(claimed.fault, state) is not state:
            state, delay = state_under(claimed.fault, state), None
        return Settlement(
            delivery_id=claimed.delivery_id,
            event_id=claimed.event_id,
            token=claimed.token,
            number=claimed.number,
            state=state,
            due_at=now + int((delay or 0) * 1000),
            evidence=evidence,
        )

    def _delay(
        self, claimed: Claimed, evidence: Evidence, assumptions: AssumptionSet, now: int
    ) -> float | None:
        if evidence.outcome is Outcome.DELIVERED:
            return None
        facts = Facts(
            attempts_counted=claimed.attempts_counted + 1,
            outcome=evidence.outcome,
            answer_status=evidence.answer_status,
            retry_after=_header(evidence.answer_headers, "retry-after"),
        )
        # A manual clock has no jitter: its retries must be the same in every run.
        jitter = None if stands_still(self._clock) else self._jitter
        return next_delay_seconds(
            facts, assumptions=assumptions, jitter=jitter, now=from_milliseconds(now)
        )


class PlainAttempt:
    """Plain attempt in flight, without a task.

    Args:
        claimed: the delivery.
        prepared: its request.
        started_at: the present instant in milliseconds since 1970.
        settle: returns the settlement for the evidence of this attempt.
        ended: called when it has ended.

    Attributes:
        request: the request in flight; set once it has begun.
    """

    request: RequestInFlight

    __slots__ = (
        "_claimed",
        "_duration_us",
        "_ended",
        "_is_cancelled",
        "_prepared",
        "_result",
        "_settle",
        "_started_at",
        "_watch",
        "request",
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

    def cancel(self) -> None:
        """Interrupt it without a call to ``ended``. Its bytes may have gone out."""
        self._is_cancelled = True
        self.request.cancel()

    def cancelled(self) -> bool:
        """Say whether it was interrupted before it ended."""
        return self._is_cancelled

    def settlement(self) -> Settlement:
        """Return the settlement, once the attempt has ended."""
        evidence = self._evidence(self._result, duration_us=self._duration_us)
        return self._settle(self._claimed, evidence, ARTICLE)

    def interrupted(self, *, at: int) -> Settlement:
        """Return the settlement, once the attempt was cancelled: unknown, and due again at once.

        Args:
            at: the present instant in milliseconds since 1970.
        """
        evidence = self._evidence(_STOPPED, duration_us=_microseconds_since(self._watch))
        return _interrupted(self._claimed, evidence, at=at)

    def _evidence(self, result: Answer | Unknown, *, duration_us: int) -> Evidence:
        return _evidence(
            self._claimed,
            result,
            ARTICLE,
            started_at=self._started_at,
            duration_us=duration_us,
            url=self._prepared.url,
            headers=self._prepared.headers,
        )

    def take_result(self, result: Answer | Unknown) -> None:
        """End the attempt."""
        self._duration_us = _microseconds_since(self._watch)
        self._result = result
        self._ended(self)


def _interrupted(claimed: Claimed, evidence: Evidence, *, at: int) -> Settlement:
    return claimed.settlement(state=DeliveryState.READY, due_at=at, counts=False, evidence=evidence)


def _assumptions(claimed: Claimed) -> AssumptionSet:
    own, for_request = claimed.webhook.assumptions, claimed.request_assumptions
    return parse_assumptions({**own, **for_request}) if own or for_request else ARTICLE


def _request(claimed: Claimed, content: _Content, assumptions: AssumptionSet) -> OutgoingRequest:
    # A stored body that is sent as it is need not be UTF-8; every other body is.
    body = content.body.encode(errors="surrogateescape")
    webhook, url = claimed.webhook, claimed.webhook.url or ""
    tls = VERIFY
    if webhook.ca_file is not None or webhook.insecure:
        tls = TlsSettings(ca_file=webhook.ca_file, insecure=webhook.insecure)
    return OutgoingRequest(
        method=claimed.method,
        url=url,
        headers=compose_headers(url, content_length=len(body), extra=content.headers),
        body=body,
        timeout_seconds=assumptions.timeout,
        tls=tls,
    )


def _evidence(  # noqa: PLR0913 - the facts of an attempt
    claimed: Claimed,
    result: Answer | Unreachable | Unknown,
    assumptions: AssumptionSet,
    *,
    started_at: int,
    duration_us: int,
    url: str,
    headers: Headers,
    body: str | None = None,
) -> Evidence:
    """Return the evidence of an attempt; of a cut-off answer, the part that came."""
    answer = result.answer if isinstance(result, Unknown) else None
    if isinstance(result, Answer):
        answer = result
    return Evidence(
        outcome=classify(result, assumptions),
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
        assumptions=_changed_assumptions(claimed, assumptions),
    )


def _microseconds_since(watch: float) -> int:
    return int((stopwatch() - watch) * 1_000_000)


def _state(outcome: Outcome, delay: float | None) -> DeliveryState:
    if outcome is Outcome.DELIVERED:
        return DeliveryState.DELIVERED
    return DeliveryState.EXHAUSTED if delay is None else DeliveryState.WAITING


def _changed_assumptions(claimed: Claimed, assumptions: AssumptionSet) -> dict[str, str]:
    """Return the assumptions that deviated: those about the bytes, and those of this attempt."""
    if assumptions is ARTICLE and not claimed.event_assumptions:
        return {}
    present = {
        name: value
        for name, value in changed_assumptions(assumptions).items()
        if assumption(name).settled_at is SettledAt.ATTEMPT
    }
    recorded = {
        name: value
        for name, value in claimed.event_assumptions.items()
        if assumption(name).settled_at is SettledAt.RECORDING
    }
    return {**recorded, **present}


def _header(headers: Headers | None, header: str) -> str | None:
    return next((value for name, value in headers or () if name.lower() == header), None)
