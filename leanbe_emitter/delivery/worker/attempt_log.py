"""Log of attempts: a sentence for each, with structured fields.

Fields are ids, names and numbers: never a secret, a payload or a URL. The log level is read once,
when a worker or a foreground call begins. Where it is too high, an attempt costs nothing here.
"""

import logging

from leanbe_emitter.delivery.watching import Attempt, StartedAttempt, Watcher
from leanbe_emitter.delivery.worker.metrics import Metrics

logger = logging.getLogger(__name__)


def logged(watcher: Watcher | None) -> Watcher | None:
    """Return a watcher that logs attempts and calls this one; this one if the level is too high."""
    return _Logging(watcher) if logger.isEnabledFor(logging.INFO) else watcher


def log_totals(metrics: Metrics) -> None:
    """Log the totals of a worker that stops, and of earlier workers of its handle."""
    logger.info(
        "The worker stopped.",
        extra={
            "claimed": metrics.deliveries_claimed_total,
            "handed_back": metrics.deliveries_handed_back_total,
            **{outcome.value: count for outcome, count in metrics.attempts_total.items()},
            "leases_lost": metrics.leases_lost_total,
            "vanished": metrics.attempts_vanished_total,
            "database_unavailable": metrics.database_unavailable_total,
        },
    )


class _Logging(Watcher):
    """Watcher that logs the beginning of an attempt (debug) and its end (info)."""

    def __init__(self, watcher: Watcher | None) -> None:
        self._watcher = watcher or Watcher()
        self._logs_begun = logger.isEnabledFor(logging.DEBUG)

    def started(self, attempt: StartedAttempt) -> None:
        if self._logs_begun:
            logger.debug("An attempt begins.", extra=_fields(attempt))
        self._watcher.started(attempt)

    def ended(self, attempt: Attempt) -> None:
        logger.info(
            "An attempt ended.",
            extra={
                **_fields(attempt),
                "outcome": attempt.outcome,
                "answer_status": attempt.answer_status,
                "duration_ms": attempt.duration_ms,
                "status": attempt.status,
            },
        )
        self._watcher.ended(attempt)

    def turn_ended(self) -> None:
        self._watcher.turn_ended()


def _fields(attempt: StartedAttempt) -> dict[str, object]:
    return {
        "event": attempt.event,
        "delivery": attempt.delivery_id,
        "product": attempt.product_id,
        "attempt": attempt.number,
    }
