"""Checks of the calling code: that it is no receiver, and that no event loop runs it."""

from leanbe_emitter.delivery.in_process.call import current_call
from leanbe_emitter.delivery.loops import is_running_loop
from leanbe_emitter.errors import Conflict


def require_no_receiver() -> None:
    """Check that no receiver in this process runs this code.

    Raises:
        Conflict: a receiver does.
    """
    if current_call() is not None:
        raise Conflict(
            "A receiver cannot make attempts before it has answered.",
            hint="Record events only: they are delivered when the receiver has answered.",
        )


def require_no_loop() -> None:
    """Check that this thread runs no event loop, before it runs one of ours.

    Raises:
        Conflict: the thread runs an event loop.
    """
    if is_running_loop():
        raise Conflict(
            "These attempts need a thread that runs no event loop.",
            hint="In asynchronous code, call it in a thread: await asyncio.to_thread(...).",
        )
