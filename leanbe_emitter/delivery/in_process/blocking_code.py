"""Code of apps that blocks: a watchdog ends the call in time, and daemon threads end with Python.

A thread of its own sends a signal to the main thread. The signal's handler raises ``Blocked`` in
the line that blocks, and only if this line is part of a call: never in the test's own code, and
never in the event loop. Some code cannot be interrupted, and ends late: C code that does not
return, other threads, and systems without ``pthread_kill``.

The signal is SIGURG, which has no effect by default. Alarms belong to other tools (pytest-timeout).

Frameworks run plain functions in threads. A function that blocks there cannot be interrupted: its
call gets an outcome in time, but Python waits at exit for every thread that is not a daemon. A new
thread copies the daemon flag of the thread that starts it, so the calling thread has the flag
during the call.
"""

import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from leanbe_emitter.clock import stopwatch
from leanbe_emitter.delivery.in_process.call import SLACK_SECONDS, Call, current_call
from leanbe_emitter.delivery.in_process.stack_location import is_debugged, is_part_of, locate_frame

#: Pause before the next signal if a signal found no code of a call, in seconds.
NEXT_SIGNAL_SECONDS = 0.05

_DEBUGGERS = frozenset({"pdb", "bdb", "ipdb", "pudb", "pydevd", "_pydevd_bundle", "debugpy"})

_Handler = Callable[[int, FrameType | None], object] | int | signal.Handlers | None


class Blocked(BaseException):
    """Error in the line of an app that blocks; ``except Exception`` does not catch it."""


class Watchdog:
    """Watchdog of the calls in the main thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: list[Call] = []
        self._due = 0.0
        self._wakes_at = math.inf
        self._is_sent = False
        self._thread: threading.Thread | None = None
        self._previous_handler: _Handler = None

    @contextmanager
    def watching(self, call: Call) -> Iterator[None]:
        """Interrupt the call if the block still runs at its deadline; not in other threads."""
        if not self._can_watch():
            yield
            return
        self._begin(call)
        try:
            yield
        finally:
            self._end(call)

    def _can_watch(self) -> bool:
        return hasattr(signal, "pthread_kill") and (
            threading.current_thread() is threading.main_thread()
        )

    def _begin(self, call: Call) -> None:
        self._take_signal()
        call.is_watched = True
        with self._changed:
            self._watched.append(call)
            if self._thread is None or not self._thread.is_alive():
                # The thread was never started, or a fork did not copy it.
                self._thread = threading.Thread(
                    target=self._watch, name="leanbe-watchdog", daemon=True
                )
                self._thread.start()
            self._set_due()

    def _end(self, call: Call) -> None:
        with self._changed:
            self._watched.remove(call)
            if self._watched:
                self._set_due()

    def _set_due(self) -> None:
        """Set the deadline of the innermost call, and wake the thread if it would wake too late."""
        self._due = stopwatch() + self._watched[-1].seconds + SLACK_SECONDS
        if self._due < self._wakes_at:
            self._changed.notify()

    def _take_signal(self) -> None:
        present = signal.getsignal(signal.SIGURG)
        if present != self._signalled:
            self._previous_handler = present
            signal.signal(signal.SIGURG, self._signalled)

    def _watch(self) -> None:
        main = threading.main_thread()
        with self._changed:
            while True:
                self._wakes_at = self._due if self._watched else math.inf
                left = self._wakes_at - stopwatch()
                if left > 0:
                    self._changed.wait(None if left == math.inf else left)
                    continue
                self._due = stopwatch() + NEXT_SIGNAL_SECONDS
                if main.ident is not None:
                    self._is_sent = True
                    signal.pthread_kill(main.ident, signal.SIGURG)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        # This handler takes no lock: the interrupted line may hold it.
        is_ours, self._is_sent = self._is_sent, False
        if not is_ours:
            if callable(self._previous_handler):
                self._previous_handler(number, frame)
            return
        if is_part_of(frame, Watchdog._signalled.__code__):
            return  # a second signal came before this handler found the line
        call = current_call()
        if call is None:
            return
        if is_debugged(frame, _DEBUGGERS):
            call.is_debugged = True
            return
        # The app's clean-up gets the same time again before it is interrupted.
        self._due = stopwatch() + call.seconds
        call.blocked_at = locate_frame(frame)
        raise Blocked(f"the app blocked at {call.blocked_at}")


#: The watchdog of this process, which has one main thread.
WATCHDOG = Watchdog()


#: Number of running calls of each thread that has the flag; an event loop makes several at once.
_CALLS: dict[threading.Thread, int] = {}


@contextmanager
def start_threads_as_daemons() -> Iterator[None]:
    """Make every thread that this thread starts in the block a daemon."""
    caller = threading.current_thread()
    if caller.daemon and caller not in _CALLS:
        yield
        return
    _count(caller, 1)
    try:
        yield
    finally:
        _count(caller, -1)


def _count(caller: threading.Thread, difference: int) -> None:
    calls = _CALLS.pop(caller, 0) + difference
    if calls:
        _CALLS[caller] = calls
    # Python has no public way to change the flag of a running thread.
    caller._daemonic = calls > 0  # type: ignore[attr-defined]  # noqa: SLF001
