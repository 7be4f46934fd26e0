"""How a process that runs a loop is stopped: politely by a first signal, at once by a second."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stopping_on_signals(stop: Callable[[], object]) -> Iterator[list[signal.Signals]]:
    """Let the first SIGTERM or SIGINT call ``stop`` in the loop; a second ends the process at once.

    At once is the system's own way: Python's would wait for the database's thread.

    Yields:
        Where the signal that stopped it will stand; empty until then.
    """
    loop = asyncio.get_running_loop()
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    came: list[signal.Signals] = []

    def stopped(by: signal.Signals) -> None:
        came.append(by)
        stop()
        for each in before:
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)

    for each in before:
        loop.add_signal_handler(each, stopped, each)
    try:
        yield came
    finally:
        for each, handler in before.items():
            loop.remove_signal_handler(each)
            signal.signal(each, handler or signal.SIG_DFL)
