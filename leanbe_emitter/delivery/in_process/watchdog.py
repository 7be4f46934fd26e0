"""Ends code that blocks: at its deadline, a call that runs in the main thread is interrupted.

A thread of its own sends a signal to the main thread, whose handler raises ``Blocked`` in the
very line that blocks, and only where that line is part of a call (never in the test's own code,
nor in the event loop's). What a signal cannot reach is ended late: C code that does not come
back, other threads, and systems without ``pthread_kill``.

The signal is SIGURG, which means nothing by default; alarms belong to others (pytest-timeout).
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

#: How soon after a signal that found no code of a call the next one follows, in seconds.
AGAIN_SECONDS = 0.05

_DEBUGGERS = frozenset({"pdb", "bdb", "ipdb", "pudb", "pydevd", "_pydevd_bundle", "debugpy"})

_Handler = Callable[[int, FrameType | None], object] | int | signal.Handlers | None


class Blocked(BaseException):
    """Raised in the line of an app that blocks; no ``except Exception`` of the app swallows it."""


class Watchdog:
    """Watches calls that run in the main thread."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._watched: list[Call] = []
        self._due = 0.0
        self._looks_at = math.inf
        self._is_sent = False
        self._thread: threading.Thread | None = None
        self._earlier: _Handler = None

    @contextmanager
    def watching(self, call: Call) -> Iterator[None]:
        """Interrupt the call at its deadline, should the block last so long; not in threads."""
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
        with self._news:
            self._watched.append(call)
            if self._thread is None or not self._thread.is_alive():
                # Not there yet, or left behind by a fork.
                self._thread = threading.Thread(
                    target=self._watch, name="leanbe-watchdog", daemon=True
                )
                self._thread.start()
            self._set_due()

    def _end(self, call: Call) -> None:
        with self._news:
            self._watched.remove(call)
            if self._watched:
                self._set_due()

    def _set_due(self) -> None:
        """Give the innermost call its time; a thread that would look too late looks again."""
        self._due = stopwatch() + self._watched[-1].seconds + SLACK_SECONDS
        if self._due < self._looks_at:
            self._news.notify()

    def _take_signal(self) -> None:
        present = signal.getsignal(signal.SIGURG)
        if present != self._signalled:
            self._earlier = present
            signal.signal(signal.SIGURG, self._signalled)

    def _watch(self) -> None:
        main = threading.main_thread()
        with self._news:
            while True:
                self._looks_at = self._due if self._watched else math.inf
                left = self._looks_at - stopwatch()
                if left > 0:
                    self._news.wait(None if left == math.inf else left)
                    continue
                self._due = stopwatch() + AGAIN_SECONDS
                if main.ident is not None:
                    self._is_sent = True
                    signal.pthread_kill(main.ident, signal.SIGURG)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        # No lock is taken here: the interrupted line may be one that holds it.
        is_ours, self._is_sent = self._is_sent, False
        if not is_ours:
            if callable(self._earlier):
                self._earlier(number, frame)
            return
        if is_part_of(frame, Watchdog._signalled.__code__):
            return  # the next signal, before the line was found
        call = current_call()
        if call is None:
            return
        if is_debugged(frame, _DEBUGGERS):
            call.is_debugged = True
            return
        # The app's own clean-up gets as much time again before it is interrupted, too.
        self._due = stopwatch() + call.seconds
        call.blocked_at = locate_frame(frame)
        raise Blocked(f"the app blocked at {call.blocked_at}")


#: The one of this process: there is one main thread to watch.
WATCHDOG = Watchdog()
