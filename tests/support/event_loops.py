"""Tests that are coroutines: each runs on a loop of its own, and some in a time of their own.

In a time of its own, nothing is waited for: where a loop would sleep, its clock leaps to the next
timer. So a deadline is met to the moment, however slow the machine is, and costs nothing.
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

# What each turn of a loop takes in its own time: what is never idle gets older, too.
_TURN_SECONDS = 0.0001
# So many turns are as good as none.
_FEW = 200
# For so long the machine may be at what it was given (a packet to itself) before time leaps.
_AT_WORK_SECONDS = 0.1


def run_in_loop(test: Callable[P, Coro]) -> Callable[P, None]:
    """Make a test of a coroutine function."""
    return _on(None, test)


def run_in_virtual_time(test: Callable[P, Coro]) -> Callable[P, None]:
    """Make a test of a coroutine function that waits for nothing but its own loop.

    What threads and other processes do is not waited for: time leaps, as if they did nothing.
    """
    return _on(lambda: _LeapingLoop(_Leaping()), test)


@contextmanager
def takes_virtual_seconds(seconds: float) -> Iterator[None]:
    """See that a block takes so much of its loop's own time, no more and no less."""
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    yield
    took = loop.time() - began_at
    assert took == pytest.approx(seconds, abs=_FEW * _TURN_SECONDS), f"it took {took} s"


def _on(
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None, test: Callable[P, Coro]
) -> Callable[P, None]:
    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(test(*args, **kwargs))

    return run


class _Leaping(selectors.DefaultSelector):
    """A selector that does not sleep, and keeps the time that it would have slept."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += _TURN_SECONDS
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        # Asked once more: whoever was stopped meanwhile has not looked when he goes on.
        ready = super().select(min(timeout, _AT_WORK_SECONDS)) or super().select(0)
        if not ready:
            self.now += timeout
        return ready


class _LeapingLoop(asyncio.SelectorEventLoop):
    """A loop whose time is its selector's."""

    def __init__(self, selector: _Leaping) -> None:
        self._leaping = selector
        super().__init__(selector)

    def time(self) -> float:
        return self._leaping.now
