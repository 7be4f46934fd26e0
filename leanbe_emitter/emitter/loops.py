"""Attempts are made on the caller's thread, where no event loop may run."""

from leanbe_emitter.delivery.in_process.call import current_call
from leanbe_emitter.delivery.loops import is_running_loop
from leanbe_emitter.errors import Conflict


def require_no_loop() -> None:
    """See to it that this thread runs no event loop, and stands in no receiver.

    Raises:
        Conflict: it does.
    """
    if current_call() is not None:
        raise Conflict(
            "Attempts were to be made from inside a receiver, whose own answer is awaited.",
            hint="Only record there: what is due is delivered when the receiver has answered.",
        )
    if is_running_loop():
        raise Conflict(
            "Attempts were to be made on a thread that runs an event loop.",
            hint="From asynchronous code, call it in a thread: await asyncio.to_thread(...).",
        )
