"""Where attempts can be made: outside of receivers, and some only where no event loop runs."""

from leanbe_emitter.delivery.in_process.call import current_call
from leanbe_emitter.delivery.loops import is_running_loop
from leanbe_emitter.errors import Conflict


def require_no_receiver() -> None:
    """See to it that this is no code of a receiver.

    Raises:
        Conflict: it is.
    """
    if current_call() is not None:
        raise Conflict(
            "Attempts were to be made from inside a receiver, whose own answer is awaited.",
            hint="Only record there: what is due is delivered when the receiver has answered.",
        )


def require_no_loop() -> None:
    """See to it that this thread runs no event loop, where a second one is to run in it.

    Raises:
        Conflict: it does.
    """
    if is_running_loop():
        raise Conflict(
            "Attempts were to be made on a thread that runs an event loop.",
            hint="From asynchronous code, call it in a thread: await asyncio.to_thread(...).",
        )
