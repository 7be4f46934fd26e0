"""Daemon threads for calls that block: a bounded number of them, and the other calls wait in order.

The executors of the standard library would do, but they hold up the end of the program until their
calls have returned.
"""

import threading
from collections import deque
from collections.abc import Callable

Call = Callable[[], None]


def start_daemon(run: Call) -> None:
    """Run a function in a new daemon thread.

    Raises:
        RuntimeError: the system starts no thread.
    """
    threading.Thread(target=run, daemon=True, name="leanbe-resolver").start()


class DaemonThreads:
    """Run calls in threads that end when no call is left.

    Args:
        limit: the most threads at once.
        start: starts a thread; it raises ``RuntimeError`` if it cannot.
    """

    def __init__(self, *, limit: int, start: Callable[[Call], None] = start_daemon) -> None:
        self._limit = limit
        self._start = start
        self._lock = threading.Lock()
        self._waiting: deque[Call] = deque()
        self._running = 0

    def submit(self, call: Call) -> None:
        """Run a call, which raises nothing, as soon as a thread is free.

        Raises:
            RuntimeError: there is no thread and none can be started; the call is not run.
        """
        with self._lock:
            self._waiting.append(call)
            if self._running == self._limit:
                return
            try:
                self._start(self._run)
            except RuntimeError:
                if self._running:
                    return  # a running thread takes the call later
                self._waiting.remove(call)
                raise
            self._running += 1

    def withdraw(self, call: Call) -> bool:
        """Forget a call that still waits for a thread; return whether it did."""
        with self._lock:
            if call not in self._waiting:
                return False
            self._waiting.remove(call)
            return True

    def _run(self) -> None:
        while (call := self._next()) is not None:
            call()

    def _next(self) -> Call | None:
        """Return the next call; None tells a thread to end."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._running -= 1
            return None
