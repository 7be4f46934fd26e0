"""How a process that runs a loop is stopped: politely by a first signal, at once by a second.

Or by the end of a stream, whose other side whoever started the process holds open.
"""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO

logger = logging.getLogger(__name__)

#: How much of what nobody reads is taken at once.
_PIECE_BYTES = 4096


def stopping_signals() -> tuple[signal.Signals, ...]:
    """Return the signals by which a process is told to stop: a terminal's that was closed, too.

    Who lets a process ignore that one (``nohup``) wants it to outlive the terminal.
    """
    is_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return (signal.SIGTERM, signal.SIGINT, *(() if is_ignored else (signal.SIGHUP,)))


@contextmanager
def stopping_on_signals(
    stop: Callable[[], object], *, pending: Callable[[], Mapping[str, int]]
) -> Iterator[list[signal.Signals]]:
    """Let the first signal call ``stop`` in the loop; a second ends the process at once.

    At once is the system's own way: Python's would wait for the database's thread. Only a SIGHUP
    says nothing new then: of a terminal that is closed, one comes from the system and another from
    the shell, which may be late.

    Args:
        stop: begins to stop.
        pending: says what that waits for, by its kind: where there is any, it is logged.

    Yields:
        Where the signal that stopped it will stand; empty until then.
    """
    loop = asyncio.get_running_loop()
    before = {each: signal.getsignal(each) for each in stopping_signals()}
    came: list[signal.Signals] = []

    def stopped(by: signal.Signals) -> None:
        came.append(by)
        if by is signal.SIGHUP:
            before[by] = signal.SIG_IGN
        if len(came) > 1:
            return
        stop()
        for each in before.keys() - {signal.SIGHUP}:
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        _log_what_is_waited_for(pending())

    for each in before:
        loop.add_signal_handler(each, stopped, each)
    try:
        yield came
    finally:
        for each, handler in before.items():
            loop.remove_signal_handler(each)
            signal.signal(each, handler or signal.SIG_DFL)


def _log_what_is_waited_for(pending: Mapping[str, int]) -> None:
    """Say why a stop takes some seconds, and how it takes none."""
    if waited_for := {kind: count for kind, count in pending.items() if count}:
        logger.warning(
            "Stopping as soon as what is at hand has ended; a second Ctrl-C or SIGTERM waits for "
            "nothing.",
            extra=waited_for,
        )


def stop_at_end_of(stream: IO[str], stop: Callable[[], object]) -> None:
    """Call ``stop`` in the running loop when a stream has ended; what comes before is dropped.

    A thread reads, because a loop does not watch every kind of file, and what it reads with is the
    system's own call: at its end the process does not wait for that.
    """
    loop = asyncio.get_running_loop()

    def wait() -> None:
        with suppress(OSError):  # what cannot be read has ended, too
            while os.read(stream.fileno(), _PIECE_BYTES):
                pass
        with suppress(RuntimeError):  # the loop has ended before
            loop.call_soon_threadsafe(stop)

    threading.Thread(target=wait, name="until-eof", daemon=True).start()
