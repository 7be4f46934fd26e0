"""The retry schedule: the facts of an attempt in, a delay or *give up* (None) out.

It never sleeps and never reads a clock: tenacity's wait and stop objects are evaluated for the one
attempt, and the caller stores the result. Chance comes from the injected source only.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from tenacity import stop_after_attempt, wait_chain, wait_fixed
from tenacity.wait import wait_base

from leanbe_emitter.delivery.retry_state import after_attempt
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.wire.assumptions.lookup import AssumptionSet

#: The longest wait that a Retry-After can ask for, in seconds.
RETRY_AFTER_CAP_SECONDS = 3600.0
#: How far a delay may stray from the schedule's, as a part of it.
JITTER = 0.1

_GONE = 410
_ASKS_TO_WAIT = frozenset({429, 503})


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the schedule is told about the attempt that just ended.

    Attributes:
        attempts_counted: attempts that count against the schedule, this one included; those
            that vanished with their worker do not.
        outcome: what it came to.
        answer_status: the answer's status, None where no answer came.
        retry_after: the answer's ``Retry-After``, as it came.
    """

    attempts_counted: int
    outcome: Outcome
    answer_status: int | None = None
    retry_after: str | None = None


def next_delay_seconds(
    facts: Facts, *, reading: AssumptionSet, jitter: random.Random | None, now: datetime
) -> float | None:
    """Return the seconds until the next attempt is due, or None: there is none.

    Contract c.5: the waits of ``backoff`` in turn (its last one again and again where
    ``max_attempts`` asks for more), each 10 % longer or shorter by chance; ``Retry-After`` of a
    429 or 503 lengthens the wait, up to an hour, and never shortens it. Contract d-30: a 410 ends
    it under ``stop_on_gone``.

    Args:
        facts: what is known about the attempt that just ended.
        reading: the product's reading (``max_attempts``, ``backoff``, ``stop_on_gone``).
        jitter: the source of chance; None for the schedule's waits as they are.
        now: the present instant, which a Retry-After in the form of a date is measured from.
    """
    if facts.outcome is Outcome.DELIVERED or _gives_up(facts, reading):
        return None
    delay = _waits(reading.backoff)(after_attempt(facts.attempts_counted))
    if jitter is not None:
        delay *= jitter.uniform(1 - JITTER, 1 + JITTER)
    return max(delay, _asked_seconds(facts, now=now))


def _gives_up(facts: Facts, reading: AssumptionSet) -> bool:
    if reading.stop_on_gone and facts.answer_status == _GONE:
        return True
    return stop_after_attempt(reading.max_attempts)(after_attempt(facts.attempts_counted))


@lru_cache(maxsize=256)
def _waits(backoff: tuple[float, ...]) -> wait_base:
    return wait_chain(*(wait_fixed(seconds) for seconds in backoff or (0.0,)))


def _asked_seconds(facts: Facts, *, now: datetime) -> float:
    """Return how long the receiver asked to wait, up to the cap; 0 where it did not ask."""
    if facts.answer_status not in _ASKS_TO_WAIT or facts.retry_after is None:
        return 0.0
    text = facts.retry_after.strip()
    if text.isascii() and text.isdigit():
        # The length is looked at first: Python refuses to read numbers of thousands of digits.
        seconds = float(text) if len(text) < len("1000000000") else RETRY_AFTER_CAP_SECONDS
    else:
        seconds = _seconds_until(text, now=now)
    return min(max(seconds, 0.0), RETRY_AFTER_CAP_SECONDS)


def _seconds_until(http_date: str, *, now: datetime) -> float:
    try:
        instant = parsedate_to_datetime(http_date)
    except (ValueError, OverflowError):
        return 0.0  # neither seconds nor a date: not a wish that can be honoured
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return (instant - now).total_seconds()
