"""Ctrl-C while attempts are made: it ends the attempt in flight, and never the queue's bookkeeping.

The first Ctrl-C is noted: it cancels a request over the network, and interrupts a receiver in this
process. The queue's own steps (claim, settle, release) finish before ``KeyboardInterrupt`` is
raised. A second Ctrl-C raises it at once.
"""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from leanbe_emitter.delivery.in_process.call import current_call
from leanbe_emitter.delivery.loops import is_running_loop


class Interrupts:
    """Handles Ctrl-C while attempts are made, unless other code handles it."""

    def __init__(self) -> None:
        self._has_come = False
        self._task: asyncio.Task[object] | None = None

    @contextmanager
    def taking(self) -> Iterator[None]:
        """Handle Ctrl-C while the block lasts.

        Raises:
            KeyboardInterrupt: a Ctrl-C came, and was not raised yet.
        """
        if not _may_handle():
            yield
            return
        signal.signal(signal.SIGINT, self._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            has_come, self._has_come = self._has_come, False
        if has_come:
            raise KeyboardInterrupt

    @contextmanager
    def cancelling(self) -> Iterator[None]:
        """Let Ctrl-C cancel the running task while the block lasts, also one that came before."""
        self._task = asyncio.current_task()
        if self._has_come and self._task is not None:
            self._task.cancel()
        try:
            yield
        finally:
            self._task = None

    def check(self) -> None:
        """Raise a Ctrl-C that was noted.

        Raises:
            KeyboardInterrupt: a Ctrl-C came.
        """
        if self._has_come:
            raise KeyboardInterrupt

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if self._has_come or current_call() is not None:
            raise KeyboardInterrupt
        self._has_come = True
        if self._task is not None:
            # The loop may be waiting for I/O; this wakes it.
            self._task.get_loop().call_soon_threadsafe(self._task.cancel)


def _may_handle() -> bool:
    if is_running_loop():
        return False  # the loop's owner cancels the task
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
