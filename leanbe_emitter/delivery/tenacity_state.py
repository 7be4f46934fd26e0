"""State that tenacity's waits and stops read, without tenacity's loop.

tenacity asks its strategies from a loop of its own, which counts attempts in memory and sleeps
between them. Here the database counts a delivery's attempts, and the queue or an event loop waits.
So this module makes the state for a strategy's call: it says the number of the attempt.
"""

from tenacity import RetryCallState, Retrying

_NEVER_CALLED = Retrying()


def after_attempt(number: int) -> RetryCallState:
    """Return the state after an attempt, counted from 1."""
    state = RetryCallState(_NEVER_CALLED, fn=None, args=(), kwargs={})
    state.attempt_number = number
    return state
