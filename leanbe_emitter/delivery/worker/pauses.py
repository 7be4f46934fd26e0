"""Pauses before a database that is away is asked again: each is twice as long as the one before."""

#: The first and the longest pause, in seconds.
FIRST_SECONDS, LONGEST_SECONDS = 0.1, 5.0


class Pauses:
    """The pauses of one who asks."""

    def __init__(self) -> None:
        self._seconds = FIRST_SECONDS

    def next(self) -> float:
        """Return how long the next pause is, in seconds."""
        seconds = self._seconds
        self._seconds = min(seconds * 2, LONGEST_SECONDS)
        return seconds

    def begin_again(self) -> None:
        """Begin with the first pause again: the database has answered."""
        self._seconds = FIRST_SECONDS
