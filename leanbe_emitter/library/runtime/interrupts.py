"""Ctrl-C while attempts are made: it ends the attempt under way, and never what accounts for it.

So the first one is noted. A request over the network is cancelled, a receiver in this process is
interrupted where it stands, and what we do ourselves (claim, settle, hand back) comes to its end
before ``KeyboardInterrupt`` is raised. The second one is raised at once.
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
    """Takes Ctrl-C while attempts are made, unless somebody else has it."""

    def __init__(self) -> None:
        self._has_come = False
        self._task: asyncio.Task[object] | None = None

    @contextmanager
    def taking(self) -> Iterator[None]:
        """Take Ctrl-C for as long as the block lasts.

        Raises:
            KeyboardInterrupt: one came, and nobody has raised it yet.
        """
        if not _is_ours_to_take():
            yield
            return
        signal.signal(signal.SIGINT, self._come)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            has_come, self._has_come = self._has_come, False
        if has_come:
            raise KeyboardInterrupt

    @contextmanager
    def cancelling(self) -> Iterator[None]:
        """Let Ctrl-C cancel the running task for as long as the block lasts; one that came, too."""
        self._task = asyncio.current_task()
        if self._has_come and self._task is not None:
            self._task.cancel()
        try:
            yield
        finally:
            self._task = None

    def check(self) -> None:
        """Raise what came.

        Raises:
            KeyboardInterrupt: one came.
        """
        if self._has_come:
            raise KeyboardInterrupt

    def _come(self, _number: int, _frame: FrameType | None) -> None:
        if self._has_come or current_call() is not None:
            raise KeyboardInterrupt
        self._has_come = True
        if self._task is not None:
            # The loop may sleep; this wakes it.
            self._task.get_loop().call_soon_threadsafe(self._task.cancel)


def _is_ours_to_take() -> bool:
    if is_running_loop():
        return False  # who runs it cancels its task
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
