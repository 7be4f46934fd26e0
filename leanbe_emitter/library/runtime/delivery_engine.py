"""The engine of a handle: puts queue, sender, receivers and event loop together.

Foreground attempts run on the caller's thread or in the caller's loop (see ``loop_runner``). A
worker has an event loop and a transport of its own, and uses the database in a thread.
"""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FuturesTimeout
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from functools import partial

from leanbe_emitter.clock import SystemClock, to_milliseconds
from leanbe_emitter.delivery.attempt.sender import Sender
from leanbe_emitter.delivery.event_loops import running_loop, sleep
from leanbe_emitter.delivery.in_process.app_errors import first_with_note
from leanbe_emitter.delivery.in_process.registry import ReceiverRegistry
from leanbe_emitter.delivery.network.http1 import Http1Transport
from leanbe_emitter.delivery.network.transport import AnswerLimits, Transport
from leanbe_emitter.delivery.queue.due_queries import Due
from leanbe_emitter.delivery.queue.queue import Queue
from leanbe_emitter.delivery.queue_types import Claimed, Settlement
from leanbe_emitter.delivery.watching import Attempt, Watcher
from leanbe_emitter.delivery.worker.attempt_log import log_totals, logged
from leanbe_emitter.delivery.worker.database_caller import DatabaseCaller, InlineFirst
from leanbe_emitter.delivery.worker.foreground import Foreground
from leanbe_emitter.delivery.worker.leases import Renewals
from leanbe_emitter.delivery.worker.metrics import Counters, Metrics
from leanbe_emitter.delivery.worker.stop_signals import stopping_on_signals
from leanbe_emitter.delivery.worker.wakeups import waking
from leanbe_emitter.delivery.worker.worker import Worker
from leanbe_emitter.errors import DatabaseUnavailable, FaultNeedsWire
from leanbe_emitter.library.runtime.awaitables import POLL_SECONDS
from leanbe_emitter.library.runtime.loop_runner import CallerLock, LoopRunner, require_no_receiver
from leanbe_emitter.library.runtime.routing_transport import RoutingTransport
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.outbox import Lease
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.queries.stored_clock import StoredClock

#: How long ``abandon`` waits for a worker whose loop is blocked, in seconds.
ABANDON_SECONDS = 5.0


class Engine:
    """Makes attempts, in the foreground and in workers.

    Args:
        transactions: have the database, the clock and the ids; none may be open while attempts are
            made.
        transport: sends requests instead of the network sender. It is closed with the engine, and
            also at the end of each ``work``, because that ends the loop it was used in.
        receivers: the receivers in this process.
        raises_app_errors: whether a receiver's exception is raised to the caller of an attempt.
    """

    def __init__(
        self,
        transactions: Transactions,
        *,
        settings: Settings,
        transport: Transport | None,
        receivers: ReceiverRegistry,
        raises_app_errors: bool,
    ) -> None:
        self._transactions = transactions
        self._database = transactions.database
        self._clock = transactions.clock
        self._settings = settings
        self._rules = settings.target_rules
        self._given_transport = transport
        self._network = Http1Transport(rules=self._rules, limits=AnswerLimits.of(settings))
        self._unclosed = [] if transport is None else [transport]
        self._receivers = receivers
        self._raises_app_errors = raises_app_errors
        self._caller_lock = CallerLock()
        self._counters = Counters()
        self._workers: dict[Worker, asyncio.AbstractEventLoop] = {}
        self._impossible_faults: list[FaultNeedsWire] = []
        self.queue = Queue(
            self._database,
            clock=self._clock,
            ids=transactions.ids,
            lease_seconds=settings.lease_seconds,
            lease_clock=SystemClock() if isinstance(self._clock, StoredClock) else None,
        )
        self._renewals = Renewals(self.queue)
        self._loop_runner = LoopRunner(meanwhile=self._renewals.meanwhile)

    def require_possible(self) -> None:
        """Check that attempts can be made here. Callers check before they lease anything.

        Raises:
            Conflict: a transaction is open, or a receiver is running this code.
        """
        self._transactions.require_none("Making attempts")
        require_no_receiver()

    def new_lease(self) -> Lease:
        """Return a lease for deliveries that are recorded and attempted at once.

        Raises:
            Conflict: attempts cannot be made here.
        """
        self.require_possible()
        return self.queue.new_lease()

    async def attempt(
        self, delivery_ids: Sequence[str], *, lease: Lease | None, watcher: Watcher | None
    ) -> list[Attempt]:
        """Make the first attempts of deliveries that hold this lease; without a lease, none."""
        if lease is None:
            return []
        claimed = self.queue.load(delivery_ids, token=lease.token)
        async with self._turn(watcher) as foreground:
            return await foreground.attempt(claimed)

    async def deliver_due(self, *, watcher: Watcher | None) -> list[Attempt]:
        """Make every attempt that is due, once."""
        async with self._turn(watcher) as foreground:
            return await foreground.deliver_due()

    async def attempt_due(self, delivery_ids: Sequence[str], *, watcher: Watcher | None) -> None:
        """Make the attempts of those deliveries that are due and not leased.

        Each delivery is claimed just before its attempt, so an interruption holds up no other.
        """
        self.require_possible()
        if delivery_ids and (vanished := self.queue.reap()):
            self._counters.add("vanished", len(vanished))
        for each in delivery_ids:
            if claimed := self.queue.claim_one(each):
                async with self._turn(watcher) as foreground:
                    await foreground.attempt([claimed])

    async def send_single(self, claimed: Claimed) -> Settlement:
        """Make one request that no queue holds; an exception of a receiver is not raised."""
        async with self._caller_lock.held():
            with self._loop_runner.interrupts.taking():
                settlement = await self._sender().send(claimed)
        self._receivers.take_errors()
        return settlement

    async def follow(
        self,
        delivery_ids: Iterable[str],
        *,
        is_pending: Callable[[str], bool],
        watcher: Watcher | None,
        require_coming: Callable[[Sequence[str]], object] = lambda _: None,
    ) -> None:
        """Make the attempts of these deliveries when they fall due, until all are settled.

        Args:
            delivery_ids: the deliveries.
            is_pending: returns whether a delivery is still pending.
            watcher: gets a call for each attempt.
            require_coming: raises an error if no pending delivery can fall due by itself.
        """
        pending = list(delivery_ids)
        while pending := [each for each in pending if is_pending(each)]:
            claimed = [one for each in pending if (one := self.queue.claim_one(each)) is not None]
            if claimed:
                async with self._turn(watcher) as foreground:
                    await foreground.attempt(claimed)
            elif vanished := self.queue.reap():
                self._counters.add("vanished", len(vanished))
            else:
                require_coming(pending)
                await sleep(POLL_SECONDS)

    def work(
        self,
        *,
        drain: bool,
        watcher: Watcher | None,
        concurrency: int | None,
        per_product: int | None,
    ) -> signal.Signals | None:
        """Run a worker until a signal, and return it; with ``drain``, until nothing is due.

        Args:
            drain: whether the worker stops as soon as nothing is due.
            watcher: gets a call for each attempt.
            concurrency: attempts in flight at once; None: the settings'.
            per_product: attempts of one product in flight at once; None: the settings'.
        """

        async def run() -> signal.Signals | None:
            async with self._worker(
                watcher=watcher, concurrency=concurrency, per_product=per_product
            ) as worker:
                with stopping_on_signals(
                    worker.stop, pending=lambda: {"attempts": self.in_flight()}
                ) as came:
                    await worker.run(drain=drain)
            return came[0] if came else None

        return asyncio.run(run())

    def metrics(self) -> Metrics:
        """Return the counters of this handle and, if the database answers, what is due."""
        now = to_milliseconds(self._clock.now())
        return self._counters.metrics(self._due(), now=now)

    async def settle(self, *, until: Callable[[], bool] | None, timeout_seconds: float) -> None:
        """Wait until receivers in this process have finished the work after their answers."""
        settle = partial(self._receivers.settle, until=until, timeout_seconds=timeout_seconds)
        # Without the lock: the receivers may wait for attempts of other tasks of this loop.
        with self._loop_runner.interrupts.taking():
            await self._loop_runner.enter(settle)
        self.raise_app_errors()

    def adopt_loop(self) -> None:
        """Use the loop that runs here for all work that needs one from now on."""
        self._loop_runner.adopt()

    async def leave_loop(self) -> None:
        """Stop and forget the receivers in this process, and close connections."""
        async with self._turn():
            await self._aclose()

    async def close(self) -> None:
        """Do what ``leave_loop`` does, and close the given transport and the handle's own loop."""
        async with self._caller_lock.held():
            unclosed, self._unclosed = self._unclosed, []
            with closing(self._loop_runner):
                await self._aclose(*unclosed)

    def abandon(self) -> None:
        """Let workers of this handle cancel attempts of deleted deliveries, and wait for it.

        In the loop of a worker, this method does not wait.
        """
        for worker, loop in list(self._workers.items()):
            cancelled = asyncio.run_coroutine_threadsafe(worker.abandon(), loop)
            if running_loop() is None:
                with suppress(FuturesTimeout):
                    cancelled.result(ABANDON_SECONDS)

    def in_flight(self) -> int:
        """Return the number of attempts that workers of this handle are making."""
        return sum(worker.in_flight for worker in list(self._workers))

    def require_reached(self) -> None:
        """Check that workers of this handle reach the database.

        Raises:
            DatabaseUnavailable: the database did not answer the last request of a worker.
        """
        for worker in list(self._workers):
            if worker.database_error is not None:
                raise worker.database_error

    def raise_app_errors(self) -> None:
        """Raise a receiver's exception, unless it is only to be recorded."""
        errors = self._receivers.take_errors()
        if errors and self._raises_app_errors:
            raise first_with_note(errors)

    @asynccontextmanager
    async def working(
        self, *, watcher: Watcher | None, concurrency: int | None, per_product: int | None
    ) -> AsyncIterator[asyncio.Task[None]]:
        """Run a worker in the running loop while the block lasts; then let it finish its attempts.

        Yields:
            The worker's task. It is done before the end of the block only if the worker failed.
        """
        async with self._worker(
            watcher=watcher, concurrency=concurrency, per_product=per_product
        ) as worker:
            task = asyncio.create_task(worker.run())
            try:
                yield task
            finally:
                worker.stop()
                await task

    @asynccontextmanager
    async def _worker(
        self, *, watcher: Watcher | None, concurrency: int | None, per_product: int | None
    ) -> AsyncIterator[Worker]:
        """Create a worker of the running loop, with its own transport and database thread."""
        limits = AnswerLimits.of(self._settings)
        transport = self._given_transport or Http1Transport(rules=self._rules, limits=limits)
        if self._receivers:
            transport = RoutingTransport(
                transport, receivers=self._receivers, loop_runner=self._loop_runner
            )
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "leanbe-database") as thread:
            try:
                # Random, so that retries of many workers do not come at the same time.
                jitter = random.Random()  # noqa: S311 - no secret
                sender = Sender(transport, clock=self._clock, jitter=jitter, rules=self._rules)
                worker = Worker(
                    self.queue,
                    sender,
                    clock=self._clock,
                    concurrency=concurrency or self._settings.concurrency,
                    per_product=per_product or self._settings.per_product,
                    poll_seconds=self._settings.poll_seconds,
                    call=self._database_caller(thread),
                    watcher=logged(watcher),
                    counters=self._counters,
                    wakeups=partial(waking, self._database),
                )
                self._workers[worker] = loop
                yield worker
            finally:
                self._workers.pop(worker, None)
                await transport.aclose()
                log_totals(self._counters.metrics())

    def _database_caller(self, thread: Executor) -> DatabaseCaller:
        """Return how a worker in the running loop calls the database."""
        if self._database.dialect == "sqlite" and not self._database.in_memory:
            return InlineFirst(thread)
        return partial(asyncio.get_running_loop().run_in_executor, thread)

    def _due(self) -> Due | None:
        try:
            return self.queue.due()
        except DatabaseUnavailable:
            return None

    def _sender(self) -> Sender:
        transport = RoutingTransport(
            self._given_transport or self._network,
            receivers=self._receivers,
            loop_runner=self._loop_runner,
        )
        return Sender(
            transport,
            clock=self._clock,
            jitter=None,
            rules=self._rules,
            on_fault_error=self._impossible_faults.append,
        )

    @asynccontextmanager
    async def _turn(self, watcher: Watcher | None = None) -> AsyncIterator[Foreground]:
        """Hold the lock while attempts are made; afterwards raise a receiver's exception."""
        async with self._caller_lock.held():
            with self._loop_runner.interrupts.taking():
                yield Foreground(
                    self.queue,
                    self._sender(),
                    clock=self._clock,
                    watcher=logged(watcher),
                    counters=self._counters,
                    renewals=self._renewals,
                )
        if self._impossible_faults:
            impossible_fault, self._impossible_faults[:] = self._impossible_faults[0], []
            raise impossible_fault
        self.raise_app_errors()

    async def _aclose(self, *given: Transport) -> None:
        """Close transports and receivers, all of them even if one raises an exception."""
        in_loops = [each for each in (self._receivers, self._network) if each.is_in_loop]
        async with AsyncExitStack() as last_first:
            last_first.push_async_callback(self._receivers.aclose)
            for each in (*in_loops, *given):
                last_first.push_async_callback(self._loop_runner.enter, each.aclose)
