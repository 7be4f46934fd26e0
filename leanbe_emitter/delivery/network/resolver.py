"""Resolver: it resolves names to addresses in a few threads, without blocking the event loop.

The executors of the standard library would do for the threads, but they hold up the end of the
program until their calls have returned.

The system's resolver blocks, for half a minute if a name's servers are dead. So each name has at
most one lookup at a time, in one of a bounded number of threads. Neither the database, which uses
threads of the loop's pool, nor other names wait for it, until all threads have such a name.
"""

import asyncio
import errno
import socket
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

Call = Callable[[], None]


def start_daemon(run: Call) -> None:
    """Run a function in a new daemon thread.

    Raises:
        RuntimeError: the system starts no thread.
    """
    threading.Thread(target=run, daemon=True, name="leanbe-resolver").start()


class DaemonThreads:
    """Run calls in threads that end when no call is left.

    Args:
        limit: the most threads at once.
        start: starts a thread; it raises ``RuntimeError`` if it cannot.
    """

    def __init__(self, *, limit: int, start: Callable[[Call], None] = start_daemon) -> None:
        self._limit = limit
        self._start = start
        self._lock = threading.Lock()
        self._waiting: deque[Call] = deque()
        self._running = 0

    def submit(self, call: Call) -> None:
        """Run a call, which raises nothing, as soon as a thread is free.

        Raises:
            RuntimeError: there is no thread and none can be started; the call is not run.
        """
        with self._lock:
            self._waiting.append(call)
            if self._running == self._limit:
                return
            try:
                self._start(self._run)
            except RuntimeError:
                if self._running:
                    return  # a running thread takes the call later
                self._waiting.remove(call)
                raise
            self._running += 1

    def withdraw(self, call: Call) -> bool:
        """Forget a call that still waits for a thread; return whether it did."""
        with self._lock:
            if call not in self._waiting:
                return False
            self._waiting.remove(call)
            return True

    def _run(self) -> None:
        while (call := self._next()) is not None:
            call()

    def _next(self) -> Call | None:
        """Return the next call; None tells a thread to end."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._running -= 1
            return None


#: Name and port in, addresses out, in the order to try them; ``OSError`` if there is none.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
#: The blocking form of ``Resolve``.
Lookup = Callable[[str, int], Sequence[str]]
#: The most threads of a resolver. A name that hangs occupies one for half a minute.
MOST_THREADS = 64

_Found = Sequence[str] | Exception


def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a name; this blocks."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class SystemResolver:
    """Resolve names; concurrent calls for one name share one lookup.

    A cancelled call leaves its lookup to the next call. A lookup that no call waits for any more,
    and that has not begun, is dropped.

    Args:
        lookup: asks the system for the addresses of a name.
        threads: run the lookups. They do not keep the program from ending.
    """

    def __init__(self, *, lookup: Lookup = look_up, threads: DaemonThreads | None = None) -> None:
        self._lookup = lookup
        self._threads = threads or DaemonThreads(limit=MOST_THREADS)
        self._pending: dict[tuple[str, int], _PendingLookup] = {}

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of a name.

        Raises:
            OSError: it has none, the lookup failed, or the system starts no thread for it.
            UnicodeError: it is not a valid name.
        """
        loop = asyncio.get_running_loop()
        pending = self._pending.get((host, port))
        if pending is None or pending.answer.get_loop() is not loop:
            pending = self._begin(host, port, loop)
        pending.callers += 1
        try:
            found = await asyncio.shield(pending.answer)
        finally:
            pending.callers -= 1
            self._drop_if_unwanted(pending)
        if isinstance(found, Exception):
            raise found
        return found

    def _begin(self, host: str, port: int, loop: asyncio.AbstractEventLoop) -> "_PendingLookup":
        pending = _PendingLookup(host=host, port=port, answer=loop.create_future())
        pending.run = partial(self._run_lookup, pending)
        try:
            self._threads.submit(pending.run)
        except RuntimeError as error:
            raise OSError(errno.EAGAIN, "the system starts no thread for it") from error
        self._pending[host, port] = pending
        return pending

    def _drop_if_unwanted(self, pending: "_PendingLookup") -> None:
        if not pending.callers and self._threads.withdraw(pending.run):
            self._forget(pending)

    def _run_lookup(self, pending: "_PendingLookup") -> None:
        found: _Found
        try:
            found = self._lookup(pending.host, pending.port)
        except (OSError, UnicodeError) as error:
            found = error
        except Exception as error:  # noqa: BLE001 - without an answer, the name would stay pending
            found = OSError(f"its lookup failed: {error}")
        with suppress(RuntimeError):  # the loop was closed meanwhile
            pending.answer.get_loop().call_soon_threadsafe(self._finish, pending, found)

    def _finish(self, pending: "_PendingLookup", found: _Found) -> None:
        self._forget(pending)
        if not pending.answer.done():
            pending.answer.set_result(found)

    def _forget(self, pending: "_PendingLookup") -> None:
        if self._pending.get((pending.host, pending.port)) is pending:
            del self._pending[pending.host, pending.port]


@dataclass(kw_only=True, eq=False)
class _PendingLookup:
    """A lookup that has not ended, and the number of calls that wait for it."""

    host: str
    port: int
    answer: "asyncio.Future[_Found]"
    callers: int = 0
    run: Call = field(init=False)
