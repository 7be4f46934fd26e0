"""Serving: the application on a socket, and a worker and retention beside it, until a signal."""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import IO

import uvicorn
from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI

from leanbe_emitter.delivery.loops import in_background
from leanbe_emitter.delivery.worker.stop_signals import stop_at_end_of, stopping_on_signals
from leanbe_emitter.errors import DatabaseUnavailable, LeanbeError
from leanbe_emitter.library import Leanbe
from leanbe_emitter.storage.queries.retention import Pruned

logger = logging.getLogger(__name__)

#: How many operations run at once: no more than the database has connections for.
THREADS = 12
#: How long a stop waits for requests that are being answered, in seconds.
GRACE_SECONDS = 5
#: How often a server without a worker looks whose the database's clock is, in seconds.
LOOK_SECONDS = 2.0
#: How often what is too old is deleted, in seconds.
PRUNE_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What the server does besides answering.

    Attributes:
        works: whether a worker delivers what is due, here.
        keep: how long what was settled is kept; None: for ever.
        until: at whose end it stops, as by a signal; None: it waits for no end.
    """

    works: bool = True
    keep: timedelta | None = None
    until: IO[str] | None = None


async def serve(
    app: FastAPI,
    leanbe: Leanbe,
    *,
    sock: socket.socket,
    beside: Beside,
    ready: Callable[[], object],
) -> None:
    """Answer requests on a socket until a signal (SIGTERM, SIGINT, SIGHUP), or an end.

    What is in flight then is finished, each way. A second signal ends the process at once.

    Args:
        app: what answers.
        leanbe: the handle that it is made over.
        sock: is bound already; it is closed at the end.
        beside: what else is done meanwhile.
        ready: is called when requests are answered.
    """
    current_default_thread_limiter().total_tokens = THREADS
    server = _Server(app, ready=ready)
    if beside.until is not None:
        stop_at_end_of(beside.until, server.stop)
    with stopping_on_signals(server.stop, pending=partial(_pending, server, leanbe)):
        async with AsyncExitStack() as last_first:
            if beside.keep is not None:
                keep = beside.keep
                await last_first.enter_async_context(in_background(lambda: _prune(leanbe, keep)))
            if not beside.works:
                await last_first.enter_async_context(in_background(lambda: _follow(leanbe)))
            if beside.works:
                working = leanbe.working(watcher=app.state.news)
                app.state.worker = await last_first.enter_async_context(working)
                app.state.worker.add_done_callback(_log_failure)
            await server.serve(sockets=[sock])


def _pending(server: "_Server", leanbe: Leanbe) -> Mapping[str, int]:
    """Say what a stop waits for."""
    return {"requests": server.requests, "attempts": leanbe.in_flight}


class _Server(uvicorn.Server):
    """Uvicorn's server: it leaves signals to us, and says when it answers."""

    def __init__(self, app: FastAPI, *, ready: Callable[[], object]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                root_path=app.state.root_path,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                # Nothing here depends on the caller's address or scheme: no proxy has to tell.
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._news = app.state.news
        self._ready = ready

    @property
    def requests(self) -> int:
        """How many requests are being answered, but for those that wait until the server stops."""
        pending: int = len(self.server_state.tasks) - self._news.ears
        return pending

    def stop(self) -> None:
        """Take no more requests, and return from ``serve`` when those at hand are answered."""
        self.should_exit = True
        self._news.end()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the caller."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        self._ready()


def _log_failure(worker: asyncio.Task[None]) -> None:
    """Say that nothing is delivered here any more; ``/readyz`` says so from now on."""
    if not worker.cancelled() and (error := worker.exception()) is not None:
        logger.error("The worker inside has failed.", exc_info=error)


async def _follow(leanbe: Leanbe) -> None:
    """See again and again whose the database's clock is, as a worker does where there is one."""
    while True:
        with suppress(DatabaseUnavailable):
            await asyncio.to_thread(lambda: leanbe.clock.kind)
        await asyncio.sleep(LOOK_SECONDS)


async def _prune(leanbe: Leanbe, keep: timedelta) -> None:
    """Delete what was settled longer ago, again and again; what fails is logged and tried later.

    When it is cancelled, the batch at hand is the last one: a stop waits for no other.
    """
    is_over = threading.Event()
    go_on = partial(_go_on_unless, is_over)
    try:
        while True:
            try:
                await asyncio.to_thread(leanbe.prune, older_than=keep, told=go_on)
            except LeanbeError as error:
                logger.warning("What is too old was not deleted.", extra={"reason": error.message})
            await asyncio.sleep(PRUNE_SECONDS)
    finally:
        is_over.set()


class _Over(Exception):
    """The server stops, and nobody waits for what is broken off by this."""


def _go_on_unless(is_over: threading.Event, _: Pruned) -> None:
    if is_over.is_set():
        raise _Over
