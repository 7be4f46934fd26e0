"""Serving: the application on a socket, with its background jobs, until a signal.

The background jobs are a worker and the retention of old deliveries.
"""

import asyncio
import errno
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import IO, Any, cast

import uvicorn
from anyio.to_thread import current_default_thread_limiter
from starlette.applications import Starlette

from leanbe_emitter.delivery.event_loops import in_background
from leanbe_emitter.delivery.watching import Attempt, StartedAttempt, Watcher
from leanbe_emitter.delivery.worker.stop_signals import stop_at_end_of, stopping_on_signals
from leanbe_emitter.errors import DatabaseUnavailable, LeanbeError
from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http.connections import QUIET_SECONDS, BoundedConfig, BoundedProtocol
from leanbe_emitter.storage.queries.retention import Pruned

logger = logging.getLogger(__name__)

#: Number of threads for endpoints: no more than the database has connections for.
THREADS = 12
#: Time that a stop gives to requests in progress, in seconds.
GRACE_SECONDS = 5
#: Interval at which a server without a worker reads the clock's kind, in seconds.
CLOCK_POLL_SECONDS = 2.0
#: Number of ticks of uvicorn between two looks at the connections: a second.
_TICKS = 10
#: How many connections the loop accepts before it does anything else, and how many wait meanwhile.
_ACCEPTED_AT_ONCE, _WAITING = 16, 2048
#: What the system says if it can open nothing more.
_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
#: Interval of retention, in seconds.
PRUNE_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class BackgroundJobs:
    """Jobs of a server besides its requests.

    Attributes:
        works: whether a worker delivers what is due.
        keep: how long settled deliveries are kept; None: for ever.
        until: a stream at whose end the server stops, as by a signal; None: no stream.
    """

    works: bool = True
    keep: timedelta | None = None
    until: IO[str] | None = None


async def serve(  # noqa: PLR0913 - what is served, how, and what is done beside it
    app: Starlette,
    leanbe: Leanbe,
    *,
    sock: socket.socket,
    max_connections: int,
    background: BackgroundJobs,
    ready: Callable[[], object],
    watcher: Watcher | None = None,
) -> None:
    """Serve requests on a socket until a signal (SIGTERM, SIGINT, SIGHUP) or the end of a stream.

    A stop finishes requests and attempts in progress. A second signal ends the process at once.

    Args:
        app: the application.
        leanbe: the application's handle.
        sock: a bound socket; the server closes it at its end.
        max_connections: how many connections are served at once.
        background: jobs that run meanwhile.
        ready: called when the server answers requests.
        watcher: is told about the attempts of the server's worker, too.
    """
    current_default_thread_limiter().total_tokens = THREADS
    asyncio.get_running_loop().set_exception_handler(_LoopErrors())
    app.state.keep = background.keep
    server = _Server(app, max_connections=max_connections, ready=ready)
    if background.until is not None:
        stop_at_end_of(background.until, server.stop)
    with stopping_on_signals(server.stop, pending=partial(_in_progress, server, leanbe)):
        async with AsyncExitStack() as jobs:
            jobs.push_async_callback(asyncio.to_thread, app.state.checks.end_all)
            if background.keep is not None:
                keep = background.keep
                await jobs.enter_async_context(in_background(lambda: _prune(leanbe, keep)))
            if not background.works:
                await jobs.enter_async_context(in_background(lambda: _follow_clock(leanbe)))
            if background.works:
                watchers = _Watchers(app.state.change_notifier, watcher or Watcher())
                working = leanbe.working(watcher=watchers)
                app.state.worker = await jobs.enter_async_context(working)
                app.state.worker.add_done_callback(_log_failure)
            await server.serve(sockets=[sock])


class _Watchers(Watcher):
    """Tells several watchers."""

    def __init__(self, *watchers: Watcher) -> None:
        self._watchers = watchers

    def started(self, attempt: StartedAttempt) -> None:
        """Tell each of them."""
        for each in self._watchers:
            each.started(attempt)

    def ended(self, attempt: Attempt) -> None:
        """Tell each of them."""
        for each in self._watchers:
            each.ended(attempt)

    def turn_ended(self) -> None:
        """Tell each of them."""
        for each in self._watchers:
            each.turn_ended()


def _in_progress(server: "_Server", leanbe: Leanbe) -> Mapping[str, int]:
    """Return how many requests and attempts a stop waits for."""
    return {"requests": server.requests, "attempts": leanbe.in_flight}


class _Server(uvicorn.Server):
    """Uvicorn's server without its own signal handlers, and with a call when it is ready."""

    def __init__(
        self, app: Starlette, *, max_connections: int, ready: Callable[[], object]
    ) -> None:
        super().__init__(
            BoundedConfig(
                app,
                max_connections=max_connections,
                # asyncio accepts as many connections in one go as may wait. A crowd would use up
                # all descriptors before the first connection is refused.
                backlog=_ACCEPTED_AT_ONCE,
                root_path=app.state.root_path,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                # Nothing depends on the client's address or scheme, which a proxy would report.
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._change_notifier = app.state.change_notifier
        self._row_feed = app.state.row_feed
        self._ready = ready

    @property
    def requests(self) -> int:
        """Number of requests in progress, without those that wait for a change."""
        waiting = self._change_notifier.listener_count + self._row_feed.listener_count
        in_progress: int = len(self.server_state.tasks) - waiting
        return in_progress

    def stop(self) -> None:
        """Accept no more requests, and return from ``serve`` after those in progress."""
        self.should_exit = True
        self._change_notifier.stop()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the caller."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and call ``ready``."""
        await super().startup(sockets)
        for sock in sockets or ():
            sock.listen(_WAITING)
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Disconnect clients that are too slow; return whether the server stops."""
        if counter % _TICKS == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                cast("BoundedProtocol", connection).check(now)
        return await super().on_tick(counter)


class _LoopErrors:
    """Handler of the loop's errors: a shortage of descriptors is one line in a minute.

    asyncio has a traceback for each connection that it cannot accept.
    """

    def __init__(self) -> None:
        self._quiet_until = float("-inf")

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Handle an error that no task gets."""
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in _SHORTAGES):
            loop.default_exception_handler(context)
        elif loop.time() >= self._quiet_until:
            self._quiet_until = loop.time() + QUIET_SECONDS
            logger.error(
                "The server can accept no connection at present.", extra={"reason": error.strerror}
            )


def _log_failure(worker: asyncio.Task[None]) -> None:
    """Log that the worker has failed; ``/readyz`` reports it from now on."""
    if not worker.cancelled() and (error := worker.exception()) is not None:
        logger.error("The server's worker has failed.", exc_info=error)


async def _follow_clock(leanbe: Leanbe) -> None:
    """Read the clock's kind again and again, which a worker would do."""
    while True:
        with suppress(DatabaseUnavailable):
            await asyncio.to_thread(lambda: leanbe.clock.kind)
        await asyncio.sleep(CLOCK_POLL_SECONDS)


async def _prune(leanbe: Leanbe, keep: timedelta) -> None:
    """Delete old settled deliveries at intervals; log a failure, and try again later.

    A stop cancels it, and waits only for the batch in progress.
    """
    is_stopped = threading.Event()
    after_each_batch = partial(_end_if_stopped, is_stopped)
    try:
        while True:
            try:
                await asyncio.to_thread(leanbe.prune, older_than=keep, on_batch=after_each_batch)
            except LeanbeError as error:
                logger.warning("Old deliveries were not deleted.", extra={"reason": error.message})
            await asyncio.sleep(PRUNE_SECONDS)
    finally:
        is_stopped.set()


class _Stopped(Exception):
    """The server stops; the error ends the thread that prunes, and nobody catches it."""


def _end_if_stopped(is_stopped: threading.Event, _: Pruned) -> None:
    if is_stopped.is_set():
        raise _Stopped
