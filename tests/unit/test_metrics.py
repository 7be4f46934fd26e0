"""Counters and histograms, and what they show."""

import re
import threading
from dataclasses import fields

import pytest

from leanbe_emitter.delivery.queue.due_queries import Due
from leanbe_emitter.delivery.queue_types import Claimed, Evidence, Settlement, WebhookSettings
from leanbe_emitter.delivery.worker.metrics import (
    DURATION_BOUNDS,
    LAG_BOUNDS,
    Counters,
    Histogram,
    Metrics,
)
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome

CLAIMED = Claimed(
    delivery_id="d",
    product_id="p",
    sequence=1,
    token="t",
    number=1,
    attempts_counted=0,
    due_at=1000,
    event_id="e",
    event_name="idea.created",
    triggered_at=0,
    method="POST",
    headers=(),
    body="{}",
    event_assumptions={},
    request_assumptions={},
    webhook=WebhookSettings(url=None, secret=None, ca_file=None, insecure=False, assumptions={}),
)


def ended(outcome: Outcome = Outcome.DELIVERED, *, us: int = 1, lag_ms: int = 0) -> Settlement:
    return Settlement(
        delivery_id="d",
        event_id="e",
        token="t",
        number=1,
        state=DeliveryState.DELIVERED,
        due_at=0,
        evidence=Evidence(
            outcome=outcome, started_at=CLAIMED.due_at + lag_ms, duration_us=us, url=""
        ),
    )


def metrics_of(*settlements: Settlement) -> Metrics:
    counters = Counters()
    counters.ended((CLAIMED, each) for each in settlements)
    return counters.metrics()


def up_to(histogram: Histogram, bound: float) -> int:
    return histogram.counts[histogram.bounds.index(bound)]


def test_everything_begins_at_nothing() -> None:
    metrics = Counters().metrics()
    assert metrics.attempts_total == dict.fromkeys(Outcome, 0)
    assert metrics.attempt_duration_seconds.count == metrics.delivery_lag_seconds.count == 0
    totals = [getattr(metrics, each.name) for each in fields(metrics) if "_total" in each.name]
    assert [each for each in totals if isinstance(each, int)] == [0] * 5


def test_each_thing_that_happens_has_a_counter_of_its_own() -> None:
    counters = Counters()
    counters.add("claimed", 64)
    counters.add("handed_back", 3)
    counters.add("lost")
    counters.add("vanished", 5)
    counters.add("unavailable")
    metrics = counters.metrics()
    assert (metrics.deliveries_claimed_total, metrics.deliveries_handed_back_total) == (64, 3)
    assert (metrics.leases_lost_total, metrics.attempts_vanished_total) == (1, 5)
    assert metrics.database_unavailable_total == 1


def test_attempts_are_counted_by_outcome() -> None:
    metrics = metrics_of(ended(), ended(), ended(Outcome.REFUSED), ended(Outcome.UNKNOWN))
    assert metrics.attempts_total == {
        Outcome.DELIVERED: 2, Outcome.REFUSED: 1, Outcome.UNREACHABLE: 0, Outcome.UNKNOWN: 1
    }  # fmt: skip


@pytest.mark.parametrize("bound", DURATION_BOUNDS)
def test_a_duration_is_counted_in_every_bucket_that_reaches_so_far(bound: float) -> None:
    us = round(bound * 1_000_000)
    histogram = metrics_of(ended(us=us), ended(us=us + 1)).attempt_duration_seconds
    assert up_to(histogram, bound) == 1
    assert histogram.count == 2
    assert histogram.sum == pytest.approx(2 * bound, abs=1e-5)


@pytest.mark.parametrize("bound", LAG_BOUNDS)
def test_a_lag_is_counted_from_when_the_delivery_was_due(bound: float) -> None:
    ms = round(bound * 1000)
    histogram = metrics_of(ended(lag_ms=ms), ended(lag_ms=ms + 1)).delivery_lag_seconds
    assert up_to(histogram, bound) == 1
    assert histogram.count == 2
    assert histogram.sum == pytest.approx(2 * bound + 0.001)


def test_buckets_add_up_and_end_in_infinity() -> None:
    histogram = metrics_of(ended(us=1), ended(us=60_000_000)).attempt_duration_seconds
    assert len(histogram.counts) == len(histogram.bounds) + 1
    assert list(histogram.counts) == sorted(histogram.counts)
    assert (histogram.counts[0], histogram.counts[-2], histogram.counts[-1]) == (1, 1, 2)


def test_a_clock_that_went_back_makes_no_sum_smaller() -> None:
    histogram = metrics_of(ended(lag_ms=-3_600_000)).delivery_lag_seconds
    assert (histogram.counts[0], histogram.sum) == (1, 0.0)


def test_an_attempt_that_was_broken_off_says_nothing_about_its_receiver() -> None:
    metrics = metrics_of(ended(Outcome.UNKNOWN)._replace(counts=False))
    assert metrics.attempts_total[Outcome.UNKNOWN] == 1
    assert metrics.attempt_duration_seconds.count == metrics.delivery_lag_seconds.count == 0


def test_metrics_take_due_deliveries_from_the_database() -> None:
    counters = Counters()
    shown = counters.metrics(Due(count=7, oldest_due_at=1000, in_flight=2), now=3500)
    assert (shown.deliveries_due, shown.deliveries_in_flight) == (7, 2)
    assert shown.oldest_due_seconds == 2.5
    nothing = counters.metrics(Due(count=0, oldest_due_at=None, in_flight=0), now=3500)
    assert (nothing.deliveries_due, nothing.oldest_due_seconds) == (0, None)
    away = counters.metrics()
    assert away.deliveries_due is away.deliveries_in_flight is away.oldest_due_seconds is None


def test_metrics_are_of_one_moment_and_stay_as_they_are() -> None:
    counters = Counters()
    before = counters.metrics()
    counters.ended([(CLAIMED, ended())])
    assert before.attempts_total[Outcome.DELIVERED] == before.attempt_duration_seconds.count == 0
    with pytest.raises(TypeError):
        before.attempts_total[Outcome.DELIVERED] = 1  # type: ignore[index]


def test_threads_may_share_the_counters() -> None:
    counters = Counters()

    def count() -> None:
        for _ in range(2000):
            counters.ended([(CLAIMED, ended())])

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    metrics = counters.metrics()
    assert metrics.attempts_total[Outcome.DELIVERED] == 8000
    assert metrics.attempt_duration_seconds.count == metrics.delivery_lag_seconds.counts[0] == 8000


def test_names_are_as_prometheus_has_them() -> None:
    for each in fields(Metrics):
        assert re.fullmatch("[a-z]+(_[a-z]+)*", each.name)
        is_counter = each.type in {int, "int"} or "Mapping" in str(each.type)
        assert is_counter == each.name.endswith("_total"), each.name
        is_of_time = "Histogram" in str(each.type) or "float" in str(each.type)
        assert is_of_time == each.name.endswith("_seconds"), each.name
