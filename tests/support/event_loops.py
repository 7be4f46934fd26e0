"""Event loops for tests that are coroutines: each runs in a loop of its own, some in virtual time.

In virtual time, nothing sleeps: if the loop would sleep, its clock jumps to the next timer. So a
deadline is exact however slow the machine is, and costs no time.
"""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import ParamSpec

import pytest

P = ParamSpec("P")
Coro = Coroutine[None, None, None]

# Virtual time of one turn of the loop, so that time passes also in a loop that is never idle.
_TURN_SECONDS = 0.0001
# Number of turns that a check of times ignores.
_IGNORED_TURNS = 200
# How long the loop waits for the machine (a packet to itself) before its time jumps.
_AT_WORK_SECONDS = 0.1


def run_in_loop(test: Callable[P, Coro]) -> Callable[P, None]:
    """Make a test of a coroutine function."""
    return _on(None, test)


def run_in_virtual_time(test: Callable[P, Coro]) -> Callable[P, None]:
    """Make a test of a coroutine function, in virtual time.

    The loop does not wait for other threads and processes: time jumps as if they did nothing.
    """
    return _on(lambda: _VirtualTimeLoop(_JumpingSelector()), test)


@contextmanager
def takes_virtual_seconds(seconds: float) -> Iterator[None]:
    """Check that the block takes so much virtual time, no more and no less."""
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    yield
    took = loop.time() - began_at
    assert took == pytest.approx(seconds, abs=_IGNORED_TURNS * _TURN_SECONDS), f"it took {took} s"


def _on(
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None, test: Callable[P, Coro]
) -> Callable[P, None]:
    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(test(*args, **kwargs))

    return run


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that does not sleep, and counts the time that it would have slept."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += _TURN_SECONDS
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        # A second look: a process that was stopped in between has seen nothing yet.
        ready = super().select(min(timeout, _AT_WORK_SECONDS)) or super().select(0)
        if not ready:
            self.now += timeout
        return ready


class _VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop with the time of its selector."""

    def __init__(self, selector: _JumpingSelector) -> None:
        self._jumping = selector
        super().__init__(selector)

    def time(self) -> float:
        return self._jumping.now
