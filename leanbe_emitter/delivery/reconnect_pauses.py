"""Pauses before a reconnect: tenacity's waits, asked without tenacity's loop.

tenacity asks its strategies from a loop of its own, which counts attempts in memory and sleeps
between them. Here the database counts a delivery's attempts, and the queue or an event loop waits.
"""

from tenacity import RetryCallState, Retrying
from tenacity.wait import wait_base, wait_exponential

_NEVER_CALLED = Retrying()


def after_attempt(number: int) -> RetryCallState:
    """Return the state after an attempt, counted from 1."""
    state = RetryCallState(_NEVER_CALLED, fn=None, args=(), kwargs={})
    state.attempt_number = number
    return state


#: The first and the longest pause before a reconnect, in seconds; each is twice the one before.
FIRST_SECONDS, LONGEST_SECONDS = 0.1, 5.0
RECONNECT = wait_exponential(multiplier=FIRST_SECONDS, max=LONGEST_SECONDS)


class Backoff:
    """Pauses that grow until they are reset.

    Args:
        wait: says how long each pause is.
    """

    def __init__(self, wait: wait_base = RECONNECT) -> None:
        self._wait = wait
        self._state = after_attempt(1)

    @property
    def seconds(self) -> float:
        """The next pause, in seconds."""
        return self._wait(self._state)

    def next(self) -> float:
        """Return the next pause, in seconds, and go on to a longer one."""
        seconds = self.seconds
        self._state.attempt_number += 1
        return seconds

    def reset(self) -> None:
        """Go back to the first pause."""
        self._state.attempt_number = 1
