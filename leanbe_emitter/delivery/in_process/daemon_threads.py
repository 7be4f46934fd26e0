"""Threads that an app starts while it is called do not hold up the end of the process.

Frameworks run plain functions in threads of their own. One that blocks cannot be interrupted there;
its call has an outcome in time, but Python waits at its end for every thread that is no daemon. A
new thread is what the thread is that starts it, so the one that calls is a daemon meanwhile.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: How many calls a thread makes that is a daemon meanwhile: several at once in one event loop.
_CALLS: dict[threading.Thread, int] = {}


@contextmanager
def start_threads_as_daemons() -> Iterator[None]:
    """Let nobody wait at the end for the threads that this one starts meanwhile."""
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
    # Python has no word for this of a thread that runs already.
    caller._daemonic = calls > 0  # type: ignore[attr-defined]  # noqa: SLF001
