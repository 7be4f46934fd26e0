"""Attempts are made on the caller's thread, in a loop of ours: no other may run there."""

import asyncio

from leanbe_emitter.errors import Conflict


def require_no_loop() -> None:
    """See to it that this thread runs no event loop.

    Raises:
        Conflict: it does.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise Conflict(
        "Attempts were to be made on a thread that runs an event loop.",
        hint="From asynchronous code, call it in a thread: await asyncio.to_thread(...).",
    )
