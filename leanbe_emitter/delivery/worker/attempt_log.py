"""Log of attempts: a sentence for each, with structured fields.

Fields are ids, names and numbers: never a secret, a payload or a URL. The log level is read once,
when a worker or a foreground call begins. Where it is too high, an attempt costs nothing here.
"""

import logging

from leanbe_emitter.delivery.queue_types import Claimed, Settlement
from leanbe_emitter.delivery.worker.metrics import Metrics
from leanbe_emitter.delivery.worker.watcher import Watcher, end_of_turn

logger = logging.getLogger(__name__)


def logged(watcher: Watcher) -> Watcher:
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


class _Logging:
    """Watcher that logs the beginning of an attempt (debug) and its end (info)."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._logs_begun = logger.isEnabledFor(logging.DEBUG)
        self.turn_ended = end_of_turn(watcher)

    def begun(self, claimed: Claimed) -> None:
        """Log that an attempt begins."""
        if self._logs_begun:
            logger.debug("An attempt begins.", extra=_fields(claimed))
        self._watcher.begun(claimed)

    def ended(self, claimed: Claimed, settlement: Settlement) -> None:
        """Log the outcome of an attempt."""
        evidence = settlement.evidence
        logger.info(
            "An attempt ended.",
            extra={
                **_fields(claimed),
                "outcome": evidence.outcome,
                "answer_status": evidence.answer_status,
                "duration_ms": evidence.duration_us / 1000,
                "status": settlement.state.status,
            },
        )
        self._watcher.ended(claimed, settlement)


def _fields(claimed: Claimed) -> dict[str, object]:
    return {
        "event": claimed.event_name,
        "delivery": claimed.delivery_id,
        "product": claimed.product_id,
        "attempt": claimed.number,
    }
