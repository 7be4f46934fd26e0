"""Stop a process that runs a loop: gracefully on the first signal, at once on the second.

The end of a stream stops it, too: the starting process holds the stream's other side open.
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

#: Bytes of the discarded stream that are read at once.
_PIECE_BYTES = 4096


def stopping_signals() -> tuple[signal.Signals, ...]:
    """Return the signals that stop a process: SIGTERM, SIGINT, and SIGHUP of a closed terminal.

    SIGHUP is left out where it is ignored: under ``nohup``, the process outlives the terminal.
    """
    is_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return (signal.SIGTERM, signal.SIGINT, *(() if is_ignored else (signal.SIGHUP,)))


@contextmanager
def stopping_on_signals(
    stop: Callable[[], object], *, pending: Callable[[], Mapping[str, int]]
) -> Iterator[list[signal.Signals]]:
    """Let the first signal call ``stop`` in the loop; a second signal ends the process at once.

    The second signal has the system's default action, as Python's own would wait for the database's
    thread. A second SIGHUP does nothing: after a terminal closes, both the system and the shell
    send one, and the shell's may be late.

    Args:
        stop: begins to stop.
        pending: counts the work that a stop waits for, by kind; counts above 0 are logged.

    Yields:
        A list for the signals that came; empty until the first one.
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
        _log_pending(pending())

    for each in before:
        loop.add_signal_handler(each, stopped, each)
    try:
        yield came
    finally:
        for each, handler in before.items():
            loop.remove_signal_handler(each)
            signal.signal(each, handler or signal.SIG_DFL)


def _log_pending(pending: Mapping[str, int]) -> None:
    """Log why a stop takes some seconds, and how to stop at once."""
    if in_progress := {kind: count for kind, count in pending.items() if count}:
        logger.warning(
            "Stopping as soon as the work in progress has ended; a second Ctrl-C or SIGTERM stops "
            "at once.",
            extra=in_progress,
        )


def stop_at_end_of(stream: IO[str], stop: Callable[[], object]) -> None:
    """Call ``stop`` in the running loop when a stream has ended; discard the stream's content.

    A thread reads, because a loop cannot watch every kind of file. It reads with ``os.read``, so
    that the process does not wait for it at its end.
    """
    loop = asyncio.get_running_loop()

    def wait() -> None:
        with suppress(OSError):  # an unreadable stream counts as ended
            while os.read(stream.fileno(), _PIECE_BYTES):
                pass
        with suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(stop)

    threading.Thread(target=wait, name="until-eof", daemon=True).start()
