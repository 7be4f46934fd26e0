"""Turns for answers that are long or take long to parse, so that they hold up no other connection.

All connections of a loop with such an answer share one queue. The connection whose turn it is
parses for a millisecond, and reads on when it has parsed all. Then the loop has thrice the time of
the turn for everything else.
"""

import asyncio
from collections import deque
from collections.abc import Callable

#: How long a turn lasts, in seconds.
TURN_SECONDS = 0.001
#: How long the loop does everything else after a turn, as a multiple of the turn.
_RESTS = 3
#: The least time between two turns, in seconds: to read a body takes longer than to parse it.
_LEAST_REST_SECONDS = 0.001

#: Parse until an instant in loop time; return whether bytes are left.
Parse = Callable[[float], bool]


class ReadTurns:
    """The queue of a loop's connections with long answers.

    Args:
        loop: the loop of the connections.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Parse] = deque()
        self._has_next = False

    def add(self, parse: Parse) -> None:
        """Give a connection turns until it has parsed all its bytes."""
        self._waiting.append(parse)
        self._go_on(TURN_SECONDS)

    def _go_on(self, taken_seconds: float) -> None:
        if self._waiting and not self._has_next:
            self._has_next = True
            rest = max(_RESTS * taken_seconds, _LEAST_REST_SECONDS)
            self._loop.call_later(rest, self._turn)

    def _turn(self) -> None:
        self._has_next = False
        parse = self._waiting.popleft()
        began_at = self._loop.time()
        try:
            if parse(began_at + TURN_SECONDS):
                self._waiting.append(parse)
        finally:
            # Whatever an answer's receiver raised, the others have their turns.
            self._go_on(self._loop.time() - began_at)
