"""The schedule: facts in, a delay or none out, and nothing else is asked."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leanbe_emitter.delivery.attempt.retry_schedule import (
    RETRY_AFTER_CAP_SECONDS,
    Facts,
    next_delay_seconds,
)
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE, AssumptionSet

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)

assumption_sets = st.builds(
    AssumptionSet,
    max_attempts=st.integers(1, 12),
    backoff=st.lists(st.floats(0, 10**6), max_size=8).map(tuple),
    stop_on_gone=st.booleans(),
)
failures = st.builds(
    Facts,
    attempts_counted=st.integers(1, 15),
    outcome=st.sampled_from([Outcome.REFUSED, Outcome.UNREACHABLE, Outcome.UNKNOWN]),
    answer_status=st.sampled_from([None, 301, 404, 410, 429, 500, 503]),
    retry_after=st.none()
    | st.text()
    | st.integers().map(str)
    | st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - hypothesis wants naive limits
        lambda instant: format_datetime(instant, usegmt=True)
    ),
)


def refused(attempts: int, *, status: int = 500, retry_after: str | None = None) -> Facts:
    return Facts(
        attempts_counted=attempts,
        outcome=Outcome.REFUSED,
        answer_status=status,
        retry_after=retry_after,
    )


def delay(facts: Facts, assumptions: AssumptionSet = ARTICLE) -> float | None:
    return next_delay_seconds(facts, assumptions=assumptions, jitter=None, now=NOON)


def test_the_articles_schedule_waits_5_s_30_s_2_min_and_10_min_and_gives_up_at_the_fifth() -> None:
    assert [delay(refused(n)) for n in range(1, 7)] == [5, 30, 120, 600, None, None]


def test_a_delivered_attempt_has_no_next_one() -> None:
    assert delay(Facts(attempts_counted=1, outcome=Outcome.DELIVERED, answer_status=204)) is None


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNREACHABLE, Outcome.UNKNOWN])
def test_every_failure_is_tried_again(outcome: Outcome) -> None:
    assert delay(Facts(attempts_counted=1, outcome=outcome)) == 5


def test_one_attempt_is_the_assumption_that_leanbe_never_retries() -> None:
    assert delay(refused(1), AssumptionSet(max_attempts=1)) is None


def test_the_last_wait_repeats_where_more_attempts_are_asked_for() -> None:
    assumptions = AssumptionSet(max_attempts=5, backoff=(1.0, 2.0))
    assert [delay(refused(n), assumptions) for n in range(1, 6)] == [1, 2, 2, 2, None]


def test_no_backoff_at_all_is_due_at_once() -> None:
    assert delay(refused(1), AssumptionSet(backoff=())) == 0


def test_gone_ends_it_only_under_stop_on_gone() -> None:
    assert delay(refused(1, status=410)) == 5
    assert delay(refused(1, status=410), AssumptionSet(stop_on_gone=True)) is None
    assert delay(refused(1, status=404), AssumptionSet(stop_on_gone=True)) == 5


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_lengthens_the_wait(status: int) -> None:
    assert delay(refused(1, status=status, retry_after=" 60 ")) == 60


def test_retry_after_as_a_date_lengthens_the_wait() -> None:
    later = format_datetime(NOON + timedelta(seconds=90), usegmt=True)
    assert delay(refused(1, status=503, retry_after=later)) == 90


def test_retry_after_without_a_zone_is_read_as_utc() -> None:
    later = (NOON + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S -0000")
    assert delay(refused(1, status=503, retry_after=later)) == 90


@pytest.mark.parametrize("retry_after", ["0", "4", "-60", "soon", "", "1.5", "٣", "Tue, 24 Nov"])
def test_retry_after_never_shortens_the_wait_and_nonsense_is_no_wish(retry_after: str) -> None:
    assert delay(refused(1, status=503, retry_after=retry_after)) == 5


@pytest.mark.parametrize("retry_after", ["3601", "9" * 5000, "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_retry_after_is_honoured_up_to_an_hour(retry_after: str) -> None:
    assert delay(refused(1, status=429, retry_after=retry_after)) == RETRY_AFTER_CAP_SECONDS


@pytest.mark.parametrize("status", [200, 301, 404, 500, 502])
def test_retry_after_of_other_answers_is_not_heard(status: int) -> None:
    assert delay(refused(1, status=status, retry_after="60")) == 5


def test_retry_after_does_not_prolong_the_number_of_attempts() -> None:
    assert delay(refused(5, status=503, retry_after="60")) is None


@given(failures, assumption_sets, st.integers())
def test_jitter_moves_a_delay_by_a_tenth_at_most_and_never_below_what_was_asked(
    facts: Facts, assumptions: AssumptionSet, seed: int
) -> None:
    exact = delay(facts, assumptions)
    moved = next_delay_seconds(facts, assumptions=assumptions, jitter=random.Random(seed), now=NOON)
    if exact is None or moved is None:
        assert exact is None
        assert moved is None
    else:
        assert exact * 0.9 - 1e-6 <= moved <= exact * 1.1 + 1e-6


@given(failures, assumption_sets)
def test_a_delay_is_never_negative_and_there_is_none_once_the_attempts_are_used_up(
    facts: Facts, assumptions: AssumptionSet
) -> None:
    answer = delay(facts, assumptions)
    if facts.attempts_counted >= assumptions.max_attempts:
        assert answer is None
    else:
        assert answer is None or answer >= 0


@given(failures, assumption_sets, st.integers())
def test_one_seed_gives_the_same_delay(facts: Facts, assumptions: AssumptionSet, seed: int) -> None:
    first, second = (
        next_delay_seconds(facts, assumptions=assumptions, jitter=random.Random(seed), now=NOON)
        for _ in range(2)
    )
    assert first == second
