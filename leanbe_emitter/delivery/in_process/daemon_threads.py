"""Daemon threads for apps: a blocked thread of an app must not delay the end of the process.

Frameworks run plain functions in threads. A function that blocks there cannot be interrupted: its
call gets an outcome in time, but Python waits at exit for every thread that is not a daemon. A new
thread copies the daemon flag of the thread that starts it, so the calling thread has the flag
during the call.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

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
