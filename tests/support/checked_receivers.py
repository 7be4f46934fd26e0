"""Runs of the conformance checks against example receivers, in process and over the network."""

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from leanbe_emitter.cli.receive.receiver_server import (
    HOST,
    Request,
    connection_to,
    encode_reply,
    incoming,
)
from leanbe_emitter.clock import SystemClock, stopwatch
from leanbe_emitter.conformance.checks.all_checks import CHECKS, chosen
from leanbe_emitter.conformance.client import Endpoint
from leanbe_emitter.conformance.example.flaws import RECEIVERS
from leanbe_emitter.conformance.example.receiver import ExampleReceiver, Incoming, Reply, State
from leanbe_emitter.conformance.observation import Observe, Timing, by_function, by_url
from leanbe_emitter.conformance.report import Report
from leanbe_emitter.conformance.run import Plan, Run
from leanbe_emitter.delivery.in_process.functions import ReceivedRequest, function_transport
from leanbe_emitter.delivery.network.http1 import Http1Transport
from leanbe_emitter.delivery.network.transport import Transport
from leanbe_emitter.ids import Ids
from leanbe_emitter.library.runtime.awaitables import drive
from leanbe_emitter.target_rules import TargetRules
from tests.support.waiting import PATIENCE_SECONDS

SECRET = "whsec_tést"

T = TypeVar("T")


async def nothing(*_: object) -> None:
    """Wait for nothing."""


AT_ONCE = Timing(pause=nothing, stopwatch=stopwatch, finish=nothing, settle_seconds=0)


def example(flaw: str) -> ExampleReceiver:
    """Return an example receiver that never waits."""
    return RECEIVERS[flaw](SECRET, state=State(), pause=nothing)


def check_in_process(
    receiver: ExampleReceiver,
    *wanted: str,
    observe: Callable[[], Any] | None,
    transport: Transport | None = None,
    headers: tuple[tuple[str, str], ...] = (),
    **plan: Any,
) -> Report:
    """Check a receiver of this process, without a loop and without waiting."""
    run = Run(
        Plan(
            endpoint=Endpoint(url="http://testserver/", headers=headers),
            secret=SECRET,
            is_networked=False,
            checks=chosen(wanted),
            **plan,
        ),
        transport=transport or transport_to(receiver),
        clock=SystemClock(),
        ids=Ids(random.Random(1)),
        timing=AT_ONCE,
        observe=None if observe is None else by_function(observe),
    )
    return drive(run.run())


def transport_to(receiver: ExampleReceiver) -> Transport:
    """Return a transport to a receiver of this process."""
    return function_transport(as_function(receiver))


def as_function(receiver: ExampleReceiver) -> Callable[[ReceivedRequest], tuple[int, bytes]]:
    """Return a receiver as a function, as suites have them."""

    def answer(request: ReceivedRequest) -> tuple[int, bytes]:
        return drive(_answered(receiver, request))

    return answer


async def _answered(receiver: ExampleReceiver, request: ReceivedRequest) -> tuple[int, bytes]:
    reply = await receiver.answer(
        Incoming(
            method=request.method,
            path="/",
            content_type=request.header("Content-Type") or "",
            pieces=(request.body,),
        )
    )
    if reply.then is not None:
        await reply.then()
    return reply.status, reply.body


class Receivers:
    """Example receivers on one port, each at a path of its own: ``/race/hook``."""

    def __init__(self) -> None:
        self.connections: set[asyncio.Transport] = set()
        self._at_work: set[asyncio.Task[Any]] = set()
        self._receivers = {
            flaw: made(SECRET, state=State(), pause=asyncio.sleep)
            for flaw, made in RECEIVERS.items()
        }

    async def answer(self, request: Request) -> bytes:
        """Let the receiver of the path answer; it goes on after a hang-up, as most servers do."""
        reply = await asyncio.shield(self._begun(self._answered(request)))
        return encode_reply(reply, keep_alive=request.keep_alive)

    async def _answered(self, request: Request) -> Reply:
        flaw, _, path = request.path.removeprefix("/").partition("/")
        at_path = replace(incoming(request), path=f"/{path}")
        reply = await self._receivers[flaw].answer(at_path)
        if reply.then is not None:
            self._begun(reply.then())
        return reply

    def _begun(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return task

    async def end(self) -> None:
        """End all work, and close all connections; each closes in a later turn of the loop."""
        for task in [*self._at_work]:
            task.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)
        while self.connections:
            for connection in list(self.connections):
                connection.abort()
            await asyncio.sleep(0)

    def fail(self, error: Exception) -> None:
        """Say why a connection broke."""
        raise error


@asynccontextmanager
async def served_receivers() -> AsyncIterator[str]:
    """Serve all example receivers in the running loop; yield the URL."""
    receivers = Receivers()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(connection_to, receivers), HOST, 0)
    try:
        yield f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await receivers.end()


@contextmanager
def receivers_in_thread() -> Iterator[str]:
    """Serve all example receivers in a thread until the block ends; yield the URL."""
    ready: Future[str] = Future()
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        async with served_receivers() as url:
            ready.set_result(url)
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield ready.result(PATIENCE_SECONDS)
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


async def check_over_network(
    url: str, *wanted: str, is_observed: bool = True, settle_seconds: float = 0.3, **plan: Any
) -> Report:
    """Check a receiver at a URL; its observation is at ``effects`` beside it."""
    transport = Http1Transport(rules=TargetRules())
    observe: Observe | None = by_url(f"{url}/effects", transport) if is_observed else None
    run = Run(
        Plan(endpoint=Endpoint(url=f"{url}/hook"), secret=SECRET, checks=chosen(wanted), **plan),
        transport=transport,
        clock=SystemClock(),
        ids=Ids(random.Random(1)),
        timing=Timing(
            pause=asyncio.sleep,
            stopwatch=asyncio.get_running_loop().time,
            finish=nothing,
            settle_seconds=settle_seconds,
        ),
        observe=observe,
    )
    try:
        return await run.run()
    finally:
        await transport.aclose()


def found(report: Report) -> frozenset[str]:
    """Return the ids of the findings."""
    return frozenset(each.id for each in report.findings)


def told_wrong(report: Report) -> dict[str, str]:
    """Return what came for each finding, by its id."""
    return {each.id: each.got for each in report.findings}


def ids_of(*verdicts: str, report: Report) -> frozenset[str]:
    """Return the ids of the checks with these verdicts."""
    return frozenset(each.id for each in report.results if each.verdict in verdicts)


def all_ids() -> Sequence[str]:
    """Return the ids of all checks."""
    return [check.id for check in CHECKS]
