"""The retry schedule: facts of the attempt in, a delay or None out.

The schedule never sleeps and never reads a clock. tenacity's waits and stops are asked about one
attempt, and the caller stores the result. Randomness comes from the injected source only.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from tenacity import stop_after_attempt, wait_chain, wait_fixed
from tenacity.wait import wait_base

from leanbe_emitter.delivery.reconnect_pauses import after_attempt
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet

#: The longest wait that a ``Retry-After`` can ask for, in seconds.
RETRY_AFTER_CAP_SECONDS = 3600.0
#: Largest random change of a delay, as a fraction of it.
JITTER = 0.1

_GONE = 410
_ASKS_TO_WAIT = frozenset({429, 503})


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Facts about the attempt that just ended.

    Attributes:
        attempts_counted: attempts that count against the schedule, including this one; attempts
            that vanished with their worker do not count.
        outcome: the attempt's outcome.
        answer_status: the answer's status; None where no answer came.
        retry_after: the answer's ``Retry-After`` header, as it came.
    """

    attempts_counted: int
    outcome: Outcome
    answer_status: int | None = None
    retry_after: str | None = None


def next_delay_seconds(
    facts: Facts, *, assumptions: AssumptionSet, jitter: random.Random | None, now: datetime
) -> float | None:
    """Return the seconds until the next attempt is due; None where there is no next attempt.

    The waits are those of ``backoff`` in order. Its last wait repeats where ``max_attempts`` allows
    more attempts. Jitter makes each wait up to 10 % longer or shorter. ``Retry-After`` of a 429 or
    503 lengthens the wait, up to an hour, and never shortens it. Under ``stop_on_gone``, a 410 ends
    the attempts.

    Args:
        facts: facts about the attempt that just ended.
        assumptions: the product's ``max_attempts``, ``backoff`` and ``stop_on_gone``.
        jitter: the source of randomness; None for the exact waits.
        now: the present instant; a ``Retry-After`` with a date is measured from it.
    """
    # Contract c.5; d-30 for a 410.
    if facts.outcome is Outcome.DELIVERED or _gives_up(facts, assumptions):
        return None
    delay = _waits(assumptions.backoff)(after_attempt(facts.attempts_counted))
    if jitter is not None:
        delay *= jitter.uniform(1 - JITTER, 1 + JITTER)
    return max(delay, _asked_seconds(facts, now=now))


def _gives_up(facts: Facts, assumptions: AssumptionSet) -> bool:
    if assumptions.stop_on_gone and facts.answer_status == _GONE:
        return True
    return stop_after_attempt(assumptions.max_attempts)(after_attempt(facts.attempts_counted))


@lru_cache(maxsize=256)
def _waits(backoff: tuple[float, ...]) -> wait_base:
    return wait_chain(*(wait_fixed(seconds) for seconds in backoff or (0.0,)))


def _asked_seconds(facts: Facts, *, now: datetime) -> float:
    """Return the wait that the receiver asked for, up to the cap; 0 where it did not ask."""
    if facts.answer_status not in _ASKS_TO_WAIT or facts.retry_after is None:
        return 0.0
    text = facts.retry_after.strip()
    if text.isascii() and text.isdigit():
        # Check the length first: Python refuses to convert numbers of thousands of digits.
        seconds = float(text) if len(text) < len("1000000000") else RETRY_AFTER_CAP_SECONDS
    else:
        seconds = _seconds_until(text, now=now)
    return min(max(seconds, 0.0), RETRY_AFTER_CAP_SECONDS)


def _seconds_until(http_date: str, *, now: datetime) -> float:
    try:
        instant = parsedate_to_datetime(http_date)
    except (ValueError, OverflowError):
        return 0.0  # neither seconds nor a date
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return (instant - now).total_seconds()
