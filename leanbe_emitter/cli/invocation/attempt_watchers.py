"""Watchers that print a command's attempts, and the exit status that follows from them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.attempt_printer import (
    AttemptPrinter,
    EndedAttempt,
    StartedAttempt,
)
from leanbe_emitter.cli.invocation.exit_status import Failed
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.output import OutputFormat
from leanbe_emitter.clock import MANUAL, Clock, from_milliseconds
from leanbe_emitter.storage.schema.states import DeliveryState, DeliveryStatus

if TYPE_CHECKING:
    from leanbe_emitter.delivery.queue_types import Claimed, Evidence, Settlement
    from leanbe_emitter.delivery.worker.watcher import Watcher
    from leanbe_emitter.library import Attempt, Delivery, Leanbe

#: The event's name for a body that is sent unchanged.
_AS_IS = "(as is)"

#: The maker of the next attempt, if this command makes no other.
BY_ANY_WORKER = " by any worker"
BY_ANY_WORKER_OR_FOLLOW = f"{BY_ANY_WORKER}, or --follow"
#: The same with a manual clock, which neither of them moves.
BY_THE_CLOCK = " by the clock, once it is moved: leanbe-emitter clock run-until-settled"


class PrintingWatcher:
    """The watcher that prints every attempt while it is made.

    Args:
        printer: the printer.
        clock: gives the time of the attempts.
        is_stored: whether the attempts are stored; those of ``send`` are not, and have no id.
    """

    def __init__(self, printer: AttemptPrinter, clock: Clock, *, is_stored: bool) -> None:
        self._printer = printer
        self._is_stored = is_stored
        self._clock = clock

    def begun(self, claimed: "Claimed") -> None:
        """Print the line out, unless other attempts are running."""
        if self._printer.is_alone(claimed.delivery_id if self._is_stored else ""):
            url, now = claimed.webhook.url or "", self._clock.now()
            self._printer.out(self._begun(claimed, url=url, started_at=now, body=claimed.body))

    def ended(self, claimed: "Claimed", settlement: "Settlement") -> None:
        """Print the line back."""
        evidence = settlement.evidence
        started_at = from_milliseconds(evidence.started_at)
        body = evidence.request_body or claimed.body
        begun = self._begun(claimed, url=evidence.url, started_at=started_at, body=body)
        self._printer.ended(_ended(begun, settlement))

    def on_record(self, delivery: "Delivery", attempt: "Attempt") -> None:
        """Print both lines of a stored attempt."""
        self._printer.ended(recorded_attempt(delivery, attempt))

    def _begun(
        self, claimed: "Claimed", *, url: str, started_at: datetime, body: str
    ) -> StartedAttempt:
        return StartedAttempt(
            delivery_id=claimed.delivery_id if self._is_stored else "",
            event=claimed.event_name or _AS_IS,
            number=claimed.number,
            started_at=started_at,
            method=claimed.method,
            url=url,
            body_bytes=len(body.encode(errors="surrogateescape")),
        )


class TurnPrintingWatcher(PrintingWatcher):
    """The watcher of a worker: it prints all lines of a turn in one write."""

    def __init__(self, printer: AttemptPrinter, clock: Clock, batch: output.Batch) -> None:
        super().__init__(printer, clock, is_stored=True)
        self._batch = batch

    def turn_ended(self) -> None:
        """Print the lines of the turn."""
        self._batch.print()


def who_retries(leanbe: "Leanbe", otherwise: str) -> str:
    """Return the maker of the next attempt: with a manual clock, the one who moves it."""
    return BY_THE_CLOCK if leanbe.clock.kind == MANUAL else otherwise


@contextmanager
def printing_attempts(
    invocation: Invocation, clock: Clock, *, retried_by: str | None = "", to_stderr: bool = False
) -> Iterator[PrintingWatcher]:
    """Print the attempts that the block makes.

    Args:
        invocation: the run of the program.
        clock: gives the time of the attempts, so that a line out and its line back agree.
        retried_by: the maker of a retry; None if there is none.
        to_stderr: whether the lines go to stderr, because stdout carries something else.

    Raises:
        Failed: at the end of the block, if a receiver did not accept an attempt.
    """
    printer = AttemptPrinter(
        OutputFormat.TABLE if to_stderr else invocation.output_format,
        notice=invocation.notice,
        line=invocation.notice if to_stderr else output.print_text,
        retried_by=retried_by,
    )
    try:
        yield PrintingWatcher(printer, clock, is_stored=retried_by is not None)
    finally:
        printer.close()
    if printer.accepted < printer.made:
        raise Failed(
            f"{printer.made - printer.accepted} of {_attempts(printer.made)} not accepted."
        )


@contextmanager
def printing_turns(invocation: Invocation, clock: Clock) -> Iterator["Watcher"]:
    """Print the attempts of a worker, unless the output is discarded.

    Yields:
        The worker's watcher.
    """
    read = [sys.stdout] if invocation.quiet else [sys.stdout, sys.stderr]
    if output.are_discarded(*read):
        from leanbe_emitter.delivery.worker.watcher import NOBODY  # noqa: PLC0415 - a quick start

        yield NOBODY
        return
    batch = output.Batch()

    def notice(remark: str) -> None:
        batch.print()  # a remark follows the lines that it is about
        invocation.notice(remark)

    printer = AttemptPrinter(invocation.output_format, notice=notice, line=batch.add)
    try:
        yield TurnPrintingWatcher(printer, clock, batch)
    finally:
        printer.close()
        batch.print()


def recorded_attempt(delivery: "Delivery", attempt: "Attempt") -> EndedAttempt:
    """Return a stored attempt as it is printed."""
    is_last = attempt.number == delivery.attempts[-1].number
    return EndedAttempt(
        begun=StartedAttempt(
            delivery_id=delivery.id,
            event=delivery.event.name,
            number=attempt.number,
            started_at=attempt.started_at,
            method=delivery.event.method,
            url=attempt.url,
            body_bytes=len(attempt.request_body),
        ),
        outcome=attempt.outcome,
        duration_ms=attempt.duration_ms,
        answer_status=attempt.answer_status,
        answer_body=attempt.shown_answer,
        error=attempt.error,
        status=delivery.status if is_last else DeliveryStatus.PENDING,
        next_due_at=delivery.next_due_at if is_last else None,
        assumptions=dict(attempt.assumptions),
        fault=attempt.fault,
    )


def _ended(begun: StartedAttempt, settlement: "Settlement") -> EndedAttempt:
    evidence = settlement.evidence
    is_waiting = settlement.state in {DeliveryState.WAITING, DeliveryState.READY}
    return EndedAttempt(
        begun=begun,
        outcome=evidence.outcome,
        duration_ms=evidence.duration_us / 1000,
        answer_status=evidence.answer_status,
        answer_body=_shown_answer(evidence),
        error=evidence.error,
        status=settlement.state.status,
        next_due_at=from_milliseconds(settlement.due_at) if is_waiting else None,
        assumptions=dict(evidence.assumptions or {}),
        fault=evidence.fault,
    )


def _shown_answer(evidence: "Evidence") -> bytes | None:
    # Only commands that make attempts need it: other commands start faster without.
    from leanbe_emitter.library.deliveries.header_masking import unechoed  # noqa: PLC0415

    return unechoed(
        evidence.answer_body, evidence.request_headers, assumptions=evidence.assumptions
    )


def _attempts(number: int) -> str:
    return "1 attempt was" if number == 1 else f"{number} attempts were"
