"""What was done, in numbers: counters and histograms that only grow, since the handle was opened.

Names are ready for Prometheus: counters end in ``_total``, units stand in the name. The one label
is an attempt's outcome; no product, URL, secret or payload is in here. What ended in a turn is
counted at once, so that a delivery costs some hundred nanoseconds of counting.

The queue is asked only when somebody asks for the metrics.
"""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType

from leanbe_emitter.delivery.claims import Claimed, Settlement
from leanbe_emitter.delivery.queue.due import Due
from leanbe_emitter.storage.schema.states import Outcome

#: The upper bounds of an attempt's duration, in seconds; the default timeout is the last.
DURATION_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: The upper bounds of the time from when a delivery was due until its attempt began, in seconds.
LAG_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0, 3600.0)


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """How often a value was at most so much.

    Attributes:
        bounds: the upper bounds, in seconds; behind the last stands infinity.
        counts: how many values were at most each bound, infinity's too: one more than bounds.
        sum: all values together, in seconds.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float

    @property
    def count(self) -> int:
        """How many values there were."""
        return self.counts[-1]


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """What one handle has done since it was opened, and what its database owes right now.

    Attributes:
        deliveries_claimed_total: deliveries that were taken to be attempted.
        deliveries_handed_back_total: of those, not begun, and given back.
        attempts_total: attempts that were made and are on record, by outcome.
        leases_lost_total: attempts that came too late: the delivery was another's by then, or gone.
        attempts_vanished_total: attempts of others whose lease ran out, settled for them.
        database_unavailable_total: how often a worker found the database away.
        attempt_duration_seconds: from an attempt's beginning to its answer, or its failure.
        delivery_lag_seconds: from when a delivery was due until its attempt began.
        deliveries_due: deliveries due right now; None where the database does not say.
        deliveries_in_flight: deliveries that anybody holds right now; None likewise.
        oldest_due_seconds: for how long the oldest has been due; None where nothing is.
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


class Counters:
    """Counts what is done; threads may share one.

    A method is told of what happened; ``metrics`` returns it all, of one moment.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claimed = 0
        self._handed_back = 0
        self._attempts = dict.fromkeys(Outcome, 0)
        self._lost = 0
        self._vanished = 0
        self._unavailable = 0
        self._durations = _Buckets(DURATION_BOUNDS, per_second=1_000_000)
        self._lags = _Buckets(LAG_BOUNDS, per_second=1000)

    def claimed(self, count: int) -> None:
        """So many deliveries were taken."""
        with self._lock:
            self._claimed += count

    def handed_back(self, count: int) -> None:
        """So many of them were given back, not begun."""
        with self._lock:
            self._handed_back += count

    def ended(self, ended: Iterable[tuple[Claimed, Settlement]]) -> None:
        """Attempts were made, and are settled."""
        batch = [(claimed, settlement, settlement.evidence) for claimed, settlement in ended]
        outcomes = Counter([evidence.outcome for _, _, evidence in batch])
        # One that was broken off says nothing about its receiver.
        counted = [
            (claimed, evidence) for claimed, settlement, evidence in batch if settlement.counts
        ]
        durations = [evidence.duration_us for _, evidence in counted]
        lags = [evidence.started_at - claimed.due_at for claimed, evidence in counted]
        with self._lock:
            for outcome, count in outcomes.items():
                self._attempts[outcome] += count
            self._durations.add(durations)
            self._lags.add(lags)

    def lost(self, count: int = 1) -> None:
        """So many attempts were made, and their leases lost meanwhile."""
        with self._lock:
            self._lost += count

    def vanished(self, count: int) -> None:
        """So many attempts of others were settled for them."""
        with self._lock:
            self._vanished += count

    def unavailable(self) -> None:
        """The database was asked, and did not answer as it should."""
        with self._lock:
            self._unavailable += 1

    def metrics(self, due: Due | None = None, *, now: int = 0) -> Metrics:
        """Return all of it.

        Args:
            due: what the database owes; None where it does not say.
            now: the present instant in milliseconds since 1970.
        """
        with self._lock:
            return Metrics(
                deliveries_claimed_total=self._claimed,
                deliveries_handed_back_total=self._handed_back,
                attempts_total=MappingProxyType(dict(self._attempts)),
                leases_lost_total=self._lost,
                attempts_vanished_total=self._vanished,
                database_unavailable_total=self._unavailable,
                attempt_duration_seconds=self._durations.histogram(),
                delivery_lag_seconds=self._lags.histogram(),
                deliveries_due=None if due is None else due.count,
                deliveries_in_flight=None if due is None else due.in_flight,
                oldest_due_seconds=_age_seconds(due, now=now),
            )


class _Buckets:
    """A histogram while it is filled, in whole units: so many of them are a second."""

    def __init__(self, bounds: tuple[float, ...], *, per_second: int) -> None:
        self._bounds_seconds = bounds
        self._per_second = per_second
        self._bounds = [round(bound * per_second) for bound in bounds]
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0

    def add(self, values: Sequence[int]) -> None:
        bounds, counts = self._bounds, self._counts
        for value in values:
            counts[bisect_left(bounds, value)] += 1
        # Where the clock went back between two instants, no sum becomes smaller.
        self._sum += sum([value for value in values if value > 0])

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
