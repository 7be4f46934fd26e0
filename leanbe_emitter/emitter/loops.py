"""Attempts are made on the caller's thread, where no event loop may run."""

from leanbe_emitter.delivery.loops import is_running_loop
from leanbe_emitter.errors import Conflict


def require_no_loop() -> None:
    """See to it that this thread runs no event loop.

    Raises:
        Conflict: it does.
    """
    if is_running_loop():
        raise Conflict(
            "Attempts were to be made on a thread that runs an event loop.",
            hint="From asynchronous code, call it in a thread: await asyncio.to_thread(...).",
        )
