"""Growing pauses before a reconnect, and between polls that find nothing: tenacity's waits."""

from tenacity.wait import wait_base, wait_exponential

from leanbe_emitter.delivery.tenacity_state import after_attempt

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
