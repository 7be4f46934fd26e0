"""The engine of one handle: queue, sender and loop, put together.

Attempts in the foreground run on the caller's thread, or in the caller's loop (see ``home``); a
worker has a loop and a transport of its own, and reaches the database in a thread.
"""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FuturesTimeout
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from functools import partial

from leanbe_emitter.clock import Clock, SystemClock, to_milliseconds
from leanbe_emitter.delivery.attempt.sender import Sender
from leanbe_emitter.delivery.claims import Settlement
from leanbe_emitter.delivery.in_process.app_errors import first_with_note
from leanbe_emitter.delivery.in_process.registry import ReceiverRegistry
from leanbe_emitter.delivery.loops import is_running_loop, rest
from leanbe_emitter.delivery.network.http1 import Http1Transport
from leanbe_emitter.delivery.network.transport import Transport
from leanbe_emitter.delivery.queue.due import Due
from leanbe_emitter.delivery.queue.queue import Queue
from leanbe_emitter.delivery.worker.foreground import Foreground
from leanbe_emitter.delivery.worker.inline_first import InlineFirst
from leanbe_emitter.delivery.worker.leases import DatabaseCaller, Renewals
from leanbe_emitter.delivery.worker.log import log_totals, logged
from leanbe_emitter.delivery.worker.metrics import Counters, Metrics
from leanbe_emitter.delivery.worker.stop_signals import stopping_on_signals
from leanbe_emitter.delivery.worker.wakeups import wakeups_of
from leanbe_emitter.delivery.worker.watcher import Watcher
from leanbe_emitter.delivery.worker.worker import Worker
from leanbe_emitter.errors import DatabaseUnavailable, FaultNeedsWire
from leanbe_emitter.ids import Ids
from leanbe_emitter.library.runtime.caller_lock import CallerLock
from leanbe_emitter.library.runtime.carrier import kept
from leanbe_emitter.library.runtime.loop_runner import LoopRunner
from leanbe_emitter.library.runtime.polling import LOOK_SECONDS
from leanbe_emitter.library.runtime.routing import RoutingTransport
from leanbe_emitter.outbox import Lease
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.queries.clock import StoredClock
from leanbe_emitter.targets import TargetRules

#: How long a worker whose loop is held up is waited for, in seconds.
ABANDON_SECONDS = 5.0


class Engine:
    """Makes attempts.

    Args:
        transport: what carries requests instead of the network sender; it is closed with the
            engine, and before that at the end of each ``work``, whose loop it was used in.
        receivers: those in this process.
        raises_app_errors: whether what a receiver raised is raised where attempts were made.
    """

    def __init__(  # noqa: PLR0913 - what the parts are made of, each from outside
        self,
        database: Database,
        *,
        clock: Clock,
        ids: Ids,
        settings: Settings,
        rules: TargetRules,
        transport: Transport | None,
        receivers: ReceiverRegistry | None = None,
        raises_app_errors: bool = True,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._rules = rules
        self._given = transport
        self._network = self._new_network()
        self._unclosed = [] if transport is None else [transport]
        self._receivers = ReceiverRegistry() if receivers is None else receivers
        self._raises_app_errors = raises_app_errors
        self._turns = CallerLock()
        self._counters = Counters()
        self._workers: dict[Worker, asyncio.AbstractEventLoop] = {}
        self._impossible_faults: list[FaultNeedsWire] = []
        self.queue = Queue(
            database,
            clock=clock,
            ids=ids,
            lease_seconds=settings.lease_seconds,
            lease_clock=SystemClock() if isinstance(clock, StoredClock) else None,
        )
        self._renewals = Renewals(self.queue)
        self._home = LoopRunner(meanwhile=self._renewals.meanwhile)

    def new_lease(self) -> Lease:
        """Return a lease for deliveries that are recorded to be attempted at once."""
        return self.queue.new_lease()

    async def attempt(
        self, delivery_ids: Sequence[str], *, lease: Lease, watcher: Watcher
    ) -> list[Settlement]:
        """Make the first attempts of deliveries that were recorded with this lease."""
        claimed = self.queue.load(delivery_ids, token=lease.token)
        async with self._turn():
            return await self._foreground(watcher).attempt(claimed)

    async def deliver_due(self, *, watcher: Watcher) -> list[Settlement]:
        """Make every attempt that is due, once."""
        async with self._turn():
            return await self._foreground(watcher).deliver_due()

    async def attempt_due(self, delivery_ids: Sequence[str], *, watcher: Watcher) -> None:
        """Make the attempts of those of these deliveries that are due and that nobody holds.

        Each is claimed when it is its turn: broken off, this holds up none of the others.
        """
        if delivery_ids and (vanished := self.queue.reap()):
            self._counters.vanished(len(vanished))
        for each in delivery_ids:
            if claimed := self.queue.claim_one(each):
                async with self._turn():
                    await self._foreground(watcher).attempt([claimed])

    async def follow(
        self,
        delivery_ids: Iterable[str],
        *,
        is_owed: Callable[[str], bool],
        watcher: Watcher,
        require_coming: Callable[[Sequence[str]], object] = lambda _: None,
    ) -> None:
        """Make the attempts of these deliveries when they fall due, until none is owed any more.

        Args:
            delivery_ids: which ones.
            is_owed: whether one still is.
            watcher: is told of the attempts.
            require_coming: raises where none of those that are owed comes by itself.
        """
        owed = list(delivery_ids)
        while owed := [each for each in owed if is_owed(each)]:
            claimed = [one for each in owed if (one := self.queue.claim_one(each)) is not None]
            if claimed:
                async with self._turn():
                    await self._foreground(watcher).attempt(claimed)
            elif vanished := self.queue.reap():
                self._counters.vanished(len(vanished))
            else:
                require_coming(owed)
                await rest(LOOK_SECONDS)

    def work(
        self, *, drain: bool, watcher: Watcher, concurrency: int, per_product: int
    ) -> signal.Signals | None:
        """Be a worker until a signal, which is returned; with ``drain``, until nothing is due."""
        return asyncio.run(
            self._work(
                drain=drain, watcher=watcher, concurrency=concurrency, per_product=per_product
            )
        )

    def metrics(self) -> Metrics:
        """Return what was done here until now, and what is owed, where the database says."""
        now = to_milliseconds(self._clock.now())
        return self._counters.metrics(self._due(), now=now)

    async def settle(self, *, until: Callable[[], bool] | None, timeout_seconds: float) -> None:
        """Wait until the receivers in this process have done what they do after their answers."""
        settle = partial(self._receivers.settle, until=until, timeout_seconds=timeout_seconds)
        # Not in turn: what is waited for may be what others of this loop deliver meanwhile.
        with self._home.interrupts.taking():
            await self._home.enter(settle)
        self.raise_app_errors()

    def adopt_loop(self) -> None:
        """Run in the loop that runs here from now on what needs one."""
        self._home.adopt()

    async def leave_loop(self) -> None:
        """Stop and forget the receivers in this process, and close connections."""
        async with self._turn():
            await self._aclose()

    async def close(self) -> None:
        """Do the same, close the transport that was given, and the handle's own loop."""
        async with self._turns.one():
            unclosed, self._unclosed = self._unclosed, []
            with closing(self._home):
                await self._aclose(*unclosed)

    def abandon(self) -> None:
        """Let workers of this handle break off what is there no more; wait until they have.

        Called in the very loop of a worker, it does not wait.
        """
        for worker, loop in list(self._workers.items()):
            broken_off = asyncio.run_coroutine_threadsafe(worker.abandon(), loop)
            if not is_running_loop():
                with suppress(FuturesTimeout):
                    broken_off.result(ABANDON_SECONDS)

    def in_flight(self) -> int:
        """Say how many attempts workers of this handle are making."""
        return sum(worker.in_flight for worker in list(self._workers))

    def require_reached(self) -> None:
        """See that workers of this handle reach the database.

        Raises:
            DatabaseUnavailable: it did not answer one of them when it was asked last.
        """
        for worker in list(self._workers):
            if worker.database_error is not None:
                raise worker.database_error

    def raise_app_errors(self) -> None:
        """Raise what a receiver raised, if that is wanted; it is on record already."""
        errors = self._receivers.take_errors()
        if errors and self._raises_app_errors:
            raise first_with_note(errors)

    @asynccontextmanager
    async def working(
        self, *, watcher: Watcher, concurrency: int, per_product: int
    ) -> AsyncIterator[asyncio.Task[None]]:
        """Have a worker in the running loop; at the end of the block it finishes what it began.

        Yields:
            Its task, which is done before that only where it failed.
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

    async def _work(
        self, *, drain: bool, watcher: Watcher, concurrency: int, per_product: int
    ) -> signal.Signals | None:
        async with self._worker(
            watcher=watcher, concurrency=concurrency, per_product=per_product
        ) as worker:
            with stopping_on_signals(worker.stop, pending=self._pending) as came:
                await worker.run(drain=drain)
        return came[0] if came else None

    @asynccontextmanager
    async def _worker(
        self, *, watcher: Watcher, concurrency: int, per_product: int
    ) -> AsyncIterator[Worker]:
        """Make a worker of the running loop, with a transport and a database thread of its own."""
        transport = self._given or self._new_network()
        if self._receivers:
            transport = self._routed(transport)
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "leanbe-database") as thread:
            try:
                # By chance, retries of many workers do not come in step.
                jitter = random.Random()  # noqa: S311 - no secret comes of it
                worker = Worker(
                    self.queue,
                    self._sender(transport, jitter=jitter),
                    clock=self._clock,
                    concurrency=concurrency,
                    per_product=per_product,
                    poll_seconds=self._settings.poll_seconds,
                    call=self._database_caller(thread),
                    watcher=logged(watcher),
                    counters=self._counters,
                    wakeups=wakeups_of(self._database),
                )
                self._workers[worker] = loop
                yield worker
            finally:
                self._workers.pop(worker, None)
                await transport.aclose()
                log_totals(self._counters.metrics())

    def _database_caller(self, thread: Executor) -> DatabaseCaller:
        """Return the way of a worker in the running loop to the database."""
        if self._database.dialect == "sqlite" and not self._database.in_memory:
            return InlineFirst(thread)
        return partial(asyncio.get_running_loop().run_in_executor, thread)

    def _pending(self) -> Mapping[str, int]:
        return {"attempts": self.in_flight()}

    def _due(self) -> Due | None:
        try:
            return self.queue.due()
        except DatabaseUnavailable:
            return None

    def _foreground(self, watcher: Watcher) -> Foreground:
        transport = self._routed(self._given or self._network)
        return Foreground(
            self.queue,
            self._sender(
                transport, jitter=None, on_impossible_fault=self._impossible_faults.append
            ),
            clock=self._clock,
            watcher=logged(watcher),
            counters=self._counters,
            renewals=self._renewals,
        )

    def _routed(self, transport: Transport) -> Transport:
        return RoutingTransport(transport, receivers=self._receivers, home=self._home)

    def _new_network(self) -> Http1Transport:
        return Http1Transport(rules=self._rules, limits=kept(self._settings))

    def _sender(
        self,
        transport: Transport,
        *,
        jitter: random.Random | None,
        on_impossible_fault: Callable[[FaultNeedsWire], object] = lambda _: None,
    ) -> Sender:
        return Sender(
            transport,
            clock=self._clock,
            jitter=jitter,
            rules=self._rules,
            on_impossible_fault=on_impossible_fault,
        )

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Make attempts while nobody else of this handle does, and raise what a receiver raised."""
        async with self._turns.one():
            with self._home.interrupts.taking():
                yield
        if self._impossible_faults:
            impossible_fault, self._impossible_faults[:] = self._impossible_faults[0], []
            raise impossible_fault
        self.raise_app_errors()

    async def _aclose(self, *given: Transport) -> None:
        """Close transports and receivers; whatever one of them raises, the others, too."""
        in_loops = [each for each in (self._receivers, self._network) if each.is_in_loop]
        async with AsyncExitStack() as last_first:
            last_first.push_async_callback(self._receivers.aclose)
            for each in (*in_loops, *given):
                last_first.push_async_callback(self._home.enter, each.aclose)
