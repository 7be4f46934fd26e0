"""Metrics of one handle: counters and histograms that only grow from its opening.

Names follow Prometheus: counters end in ``_total``, and units stand in the name. The only label is
an attempt's outcome; no metric holds a product, URL, secret or payload. Attempts that ended in one
turn are counted together, so that a delivery costs some hundred nanoseconds of counting.

The queue is read only when the metrics are read.
"""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType
from typing import Literal

from leanbe_emitter.delivery.queue.due_queries import Due
from leanbe_emitter.delivery.queue_types import Claimed, Settlement
from leanbe_emitter.storage.schema.states import Outcome

#: Upper bounds of an attempt's duration, in seconds; the last is the default timeout.
DURATION_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: Upper bounds of the time from a delivery's due time to its attempt, in seconds.
LAG_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0, 3600.0)


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Histogram with cumulative counts.

    Attributes:
        bounds: upper bounds, in seconds; infinity follows the last one.
        counts: number of values up to each bound, infinity included: one more than bounds.
        sum: sum of all values, in seconds.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float

    @property
    def count(self) -> int:
        """Number of values."""
        return self.counts[-1]


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """Metrics of one handle since it was opened, and of its database right now.

    Attributes:
        deliveries_claimed_total: deliveries that this handle claimed.
        deliveries_handed_back_total: claimed deliveries that it released without an attempt.
        attempts_total: attempts that were made and recorded, by outcome.
        leases_lost_total: attempts that ended after their lease was lost or the delivery deleted.
        attempts_vanished_total: attempts settled for other workers whose lease ran out.
        database_unavailable_total: how often a worker found the database unavailable.
        attempt_duration_seconds: from the beginning of an attempt to its answer or failure.
        delivery_lag_seconds: from the due time of a delivery to the beginning of its attempt.
        deliveries_due: deliveries that are due right now; None where the database is unavailable.
        deliveries_in_flight: deliveries that any worker holds right now; None likewise.
        oldest_due_seconds: how long the oldest due delivery has waited; None where none is due.
    """

    deliveries_claimed_total: int
    deliveries_handed_back_total: int
    attempts_total: Mapping[Outcome, int]
    leases_lost_total: int
    attempts_vanished_total: int
    database_unavailable_total: int
    attempt_duration_seconds: Histogram
    delivery_lag_seconds: Histogram
    deliveries_due: int | None
    deliveries_in_flight: int | None
    oldest_due_seconds: float | None


#: Deliveries that were claimed, or released without an attempt; attempts whose lease was lost, or
#: that were settled for a dead worker; calls that found the database unavailable.
Counted = Literal["claimed", "handed_back", "lost", "vanished", "unavailable"]


class Counters:
    """Counters of one handle, safe to share between threads.

    ``metrics`` returns all of them as of one moment.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Counted] = Counter()
        self._attempts = dict.fromkeys(Outcome, 0)
        self._durations = _Buckets(DURATION_BOUNDS, per_second=1_000_000)
        self._lags = _Buckets(LAG_BOUNDS, per_second=1000)

    def add(self, what: Counted, count: int = 1) -> None:
        """Count things of one kind."""
        with self._lock:
            self._counts[what] += count

    def ended(self, ended: Iterable[tuple[Claimed, Settlement]]) -> None:
        """Count settled attempts."""
        with self._lock:
            for claimed, settlement in ended:
                evidence = settlement.evidence
                self._attempts[evidence.outcome] += 1
                if settlement.counts:  # an interrupted attempt says nothing about its receiver
                    self._durations.add(evidence.duration_us)
                    self._lags.add(evidence.started_at - claimed.due_at)

    def metrics(self, due: Due | None = None, *, now: int = 0) -> Metrics:
        """Return the metrics.

        Args:
            due: what the database owes; None where it is unavailable.
            now: the present instant in milliseconds since 1970.
        """
        with self._lock:
            return Metrics(
                deliveries_claimed_total=self._counts["claimed"],
                deliveries_handed_back_total=self._counts["handed_back"],
                attempts_total=MappingProxyType(dict(self._attempts)),
                leases_lost_total=self._counts["lost"],
                attempts_vanished_total=self._counts["vanished"],
                database_unavailable_total=self._counts["unavailable"],
                attempt_duration_seconds=self._durations.histogram(),
                delivery_lag_seconds=self._lags.histogram(),
                deliveries_due=None if due is None else due.count,
                deliveries_in_flight=None if due is None else due.in_flight,
                oldest_due_seconds=_age_seconds(due, now=now),
            )


class _Buckets:
    """Histogram that is being filled, in whole units; ``per_second`` units are a second."""

    def __init__(self, bounds: tuple[float, ...], *, per_second: int) -> None:
        self._bounds_seconds = bounds
        self._per_second = per_second
        self._bounds = [round(bound * per_second) for bound in bounds]
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0

    def add(self, value: int) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        if value > 0:  # the sum must not shrink where the clock went back between two instants
            self._sum += value

    def histogram(self) -> Histogram:
        return Histogram(
            bounds=self._bounds_seconds,
            counts=tuple(accumulate(self._counts)),
            sum=self._sum / self._per_second,
        )


def _age_seconds(due: Due | None, *, now: int) -> float | None:
    if due is None or due.oldest_due_at is None:
        return None
    return max(0, now - due.oldest_due_at) / 1000
