"""``Leanbe``: the handle of a database, and the composition root of the library.

Every capability of the package is a method of ``Leanbe`` or of one of its attributes. The command
line and the server only parse, call and print. The methods here are short: their work is done by
``Triggers``, ``Attempts``, ``Assertions`` and the engine.
"""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from sqlalchemy.orm import Session

import leanbe_emitter
from leanbe_emitter.clock import MANUAL, Clock
from leanbe_emitter.delivery.in_process.call import SETTLE_SECONDS
from leanbe_emitter.delivery.in_process.registry import ReceiverRegistry
from leanbe_emitter.delivery.queue.due_queries import Due
from leanbe_emitter.delivery.worker.metrics import Metrics
from leanbe_emitter.delivery.worker.watcher import NOBODY, Watcher
from leanbe_emitter.domain.action import Limits
from leanbe_emitter.errors import InvalidValue, NotAwaited, WaitTimedOut
from leanbe_emitter.ids import Ids
from leanbe_emitter.library.deliveries.deliveries import Deliveries
from leanbe_emitter.library.deliveries.delivery import Attempt, Delivery
from leanbe_emitter.library.deliveries.delivery_filter import Filter
from leanbe_emitter.library.deliveries.events import Events
from leanbe_emitter.library.deliveries.foreground_attempts import Attempts
from leanbe_emitter.library.deliveries.journal import Journal
from leanbe_emitter.library.deliveries.redelivery import Redelivery
from leanbe_emitter.library.deliveries.waiting import reason_pending
from leanbe_emitter.library.documents.users import Users
from leanbe_emitter.library.handle.assertions import Assertions
from leanbe_emitter.library.handle.clock import AdvancingClock, Shared
from leanbe_emitter.library.handle.information import Counts, Info, count
from leanbe_emitter.library.handle.recorded_events import RecordedEvents
from leanbe_emitter.library.runtime.awaitable_results import NOTHING, Nothing, Results
from leanbe_emitter.library.runtime.awaitables import drive, require_async_with, waits, waits_at_end
from leanbe_emitter.library.runtime.engine import Engine
from leanbe_emitter.library.runtime.group_commit import outcomes
from leanbe_emitter.library.runtime.handle_transport import answer_limits, as_transport
from leanbe_emitter.library.runtime.loop_runner import require_no_loop
from leanbe_emitter.library.runtime.opening import open_database
from leanbe_emitter.library.runtime.polling import wait_until
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.library.setup.assumptions import Assumptions
from leanbe_emitter.library.setup.faults import Faults
from leanbe_emitter.library.setup.product import Product, ProductRef
from leanbe_emitter.library.setup.products import Products
from leanbe_emitter.library.setup.seeds import Seeds
from leanbe_emitter.library.setup.webhooks import Webhooks
from leanbe_emitter.library.trigger.synthetic_events import Changes, Sample, TriggerRequest
from leanbe_emitter.library.trigger.trigger_results import DryRun, Triggered
from leanbe_emitter.library.trigger.triggers import Triggers
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.engine.database_urls import shown
from leanbe_emitter.storage.queries.clock import StoredClock, kind_of
from leanbe_emitter.storage.queries.reset import empty
from leanbe_emitter.storage.queries.retention import Pruned, prune
from leanbe_emitter.storage.schema.migrate import (
    Schema,
    SchemaState,
    not_ready,
    schema_of,
    write_revision_again,
)
from leanbe_emitter.storage.schema.states import DeliveryStatus
from leanbe_emitter.storage.schema.tables import DeliveryRow
from leanbe_emitter.wire.assumptions.parsing import check_assumption
from leanbe_emitter.wire.stringify import JSON

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport

    from leanbe_emitter.delivery.network.transport import Transport


class Leanbe:
    """The handle of a database: it records events and delivers them.

    Methods that wait (``deliver``, ``trigger``, ``settle`` ...) return when their work is done. In
    code that an event loop runs, await them: ``await leanbe.deliver()`` runs in that loop. There,
    open the handle with ``async with``.

    Args:
        db: ``:memory:``, or an SQLAlchemy URL of SQLite or PostgreSQL. A SQLite database is created
            and migrated here; a PostgreSQL database must have its tables already.
        assume: assumptions of the products that this handle creates.
        seed: makes every run give the same ids and secrets.
        clock: the clock of this handle, or ``manual`` or ``system`` to set the kind of the
            database's clock. The kind applies to every process that opens the database afterwards.
            A process that has the database open notices it when its worker is idle, when a retry
            falls due, or when its clock is moved or asked for its ``kind``. Default: the database's
            clock, which is the system's clock unless it was set.
        ids: the source of ids and secrets, instead of ``seed``.
        transport: sends requests instead of the built-in network sender: a ``Transport`` or an
            ``httpx.AsyncBaseTransport``. The handle owns the transport: it closes it at the end,
            and also at the end of each ``work``, because ``work`` has an event loop of its own.
        settings: limits, leases and allowed targets.
        app_errors: ``raise`` to raise, after its attempt was recorded as a 500, the exception of a
            receiver in this process; ``record`` to record the attempt only.

    Attributes:
        products, webhooks, assumptions, users, deliveries: the objects of the database.
        events: the recorded events.
        faults: deliberate, counted misbehaviours.
        seeds: the seed file that the database begins with, now and after each reset.
        clock: the time. Moving a manual clock makes the attempts that fall due on the way.
        journal: the journal of what happens in the database, in whichever process.
        created: whether opening created or migrated the database.

    Raises:
        InvalidValue: ``db`` is no URL of a database, or an assumption is refused.
        DatabaseUnavailable: the database cannot be opened.
        DatabaseBehind: the database's tables are not those of this program.
    """

    def __init__(  # noqa: PLR0913 - each part can be given from outside
        self,
        db: str = ":memory:",
        *,
        assume: Mapping[str, str] | None = None,
        seed: int | str | None = None,
        clock: Clock | Literal["manual", "system"] | None = None,
        ids: Ids | None = None,
        transport: "Transport | AsyncBaseTransport | None" = None,
        settings: Settings | None = None,
        app_errors: Literal["raise", "record"] = "raise",
    ) -> None:
        self._settings = settings or Settings()
        source = None if seed is None else random.Random(seed)  # noqa: S311 - seeded on purpose
        self._ids = ids or Ids(source)
        rules = self._settings.target_rules
        assumed = {**self._settings.assume, **(assume or {})}
        self._assumed = {name: check_assumption(name, value) for name, value in assumed.items()}
        self._database = Database(db, synchronous=self._settings.sqlite_synchronous)
        self.created, self._clock = open_database(self._database, clock)
        self._transactions = Transactions(
            self._database,
            clock=self._clock,
            ids=self._ids,
            rules=rules,
            assume=self._assumed,
            limits=Limits(
                max_depth=self._settings.max_depth,
                max_payload_bytes=self._settings.max_payload_bytes,
            ),
        )
        self._receivers = ReceiverRegistry(limits=answer_limits(self._settings))
        self._engine = Engine(
            self._database,
            clock=self._clock,
            ids=self._ids,
            settings=self._settings,
            rules=rules,
            transport=as_transport(transport, rules=rules, settings=self._settings),
            receivers=self._receivers,
            raises_app_errors=app_errors == "raise",
        )
        self.seeds = Seeds(self._transactions)
        self.products = Products(
            self._transactions,
            receivers=self._receivers,
            seeds=self.seeds,
            abandon=self._engine.abandon,
        )
        self.webhooks = Webhooks(self._transactions, receivers=self._receivers)
        self.assumptions = Assumptions(self._transactions)
        self.users = Users(self._transactions)
        self._attempts = Attempts(self._transactions, self._engine)
        redelivery = Redelivery(self._transactions, self._attempts, ids=self._ids)
        self.deliveries = Deliveries(self._transactions, redelivery)
        self.events = Events(self._transactions)
        self.faults = Faults(self._transactions, receivers=self._receivers)
        self.journal = Journal(self._transactions, self.deliveries)
        self._triggers = Triggers(
            self._transactions,
            self._attempts,
            self.deliveries,
            clock=self._clock,
            ids=self._ids,
            settings=self._settings,
        )
        self._assertions = Assertions(
            self._transactions,
            self.deliveries,
            self.journal,
            is_anything_due=lambda: self.due().count > 0,
        )
        self.clock = AdvancingClock(
            self._clock,
            self._transactions,
            deliver=self.deliver,
            shared=Shared(journal=self.journal, queue=self._engine.queue),
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the calls of this block one transaction: all of them and their events, or none.

        Raises:
            Conflict: a transaction is open already; transactions do not nest.
        """
        with self._transactions.begin():
            yield

    @waits_at_end("leanbe.foreground()")
    async def foreground(
        self, watcher: Watcher = NOBODY, *, deliver: bool = True
    ) -> AsyncIterator[RecordedEvents]:
        """Make the calls of this block one transaction, then make their events' first attempts.

        In code that an event loop runs, use ``async with``.

        Args:
            watcher: gets a call for each attempt.
            deliver: whether the first attempts are made at once; otherwise a worker makes them.

        Yields:
            The events that the block recorded; complete when the block has ended.

        Raises:
            Conflict: a transaction is open already.
        """
        events, lease = RecordedEvents(), self._attempts.new_lease(deliver=deliver)
        with self._transactions.begin(lease=lease) as transaction:
            yield events
        events.recorded = tuple(transaction.recorded)
        made_here = [each.delivery_id for each in events.recorded if each.delivery_id]
        await self._attempts.make_first(made_here, lease=lease, watcher=watcher)
        events.deliveries = tuple(self.deliveries.of(made_here))

    def together(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Make calls in one transaction. Each call is done or refused by itself.

        Returns:
            For each call its result, or the error that it raised.
        """
        return outcomes(self._transactions, calls)

    @waits("leanbe.trigger()")
    async def trigger(  # noqa: PLR0913 - an event, and what is special about it
        self,
        event: str,
        *,
        to: object | None = None,
        product: ProductRef | None = None,
        set: Mapping[str, str] | None = None,  # noqa: A002 - the word of every surface
        payload: JSON | Sample = Sample.OF_THE_CATALOGUE,
        assume: Mapping[str, str] | None = None,
        watcher: Watcher = NOBODY,
    ) -> Delivery:
        """Record one synthetic event and make the first attempt of its delivery at once.

        Args:
            event: one of the 22 event names.
            to: where the event goes: a URL, or a receiver in this process as ``products.create``
                takes it. The event belongs to the product whose webhook has this URL or receiver.
                If there is no such product, it is created, with a generated secret. A receiver that
                verifies with a secret of its own needs a product with that secret: create it first
                with ``products.create``. A test's handle also takes a ``testing.Receiver``.
            product: the product of the event. Default: the only product.
            set: text by path that changes the sample payload (``country.countryCode``).
            payload: a whole payload instead of the sample; ``set`` changes it.
            assume: assumptions for this one request.
            watcher: gets a call for the attempt.

        Raises:
            Conflict: the product has no webhook URL, or the product's assumptions leave this event
                out.
            InvalidValue: an unknown event, a wrong path, or an assumption that is refused.
            NotFound: there is no such product.
        """
        _require_one(event)
        if to is not None:
            self._attempts.require_possible()
            product = self._product_at(to, product)
        elif product is None:
            product = self._usual_product()
        request = TriggerRequest(
            events=[event],
            product=product,
            changes=Changes(set=set or {}, payload=payload),
            assume=assume or {},
        )
        (triggered,) = await self._triggers.run(request, deliver=True, watcher=watcher)
        return triggered.require_delivery()

    @waits("leanbe.trigger_all()")
    async def trigger_all(
        self, request: TriggerRequest, *, deliver: bool = True, watcher: Watcher = NOBODY
    ) -> Results[Triggered]:
        """Record several synthetic events of the same document.

        Args:
            request: the events, and how their payloads differ from the samples.
            deliver: whether the first attempts are made at once; otherwise a worker makes them.
            watcher: gets a call for each attempt.

        Raises:
            Conflict: attempts are to be made here, and a transaction is open.
            InvalidValue: an unknown event, a wrong path, or an assumption that is refused.
            NotFound: there is no such product or delivery.
        """
        return Results(await self._triggers.run(request, deliver=deliver, watcher=watcher))

    def dry_run(self, request: TriggerRequest) -> list[DryRun]:
        """Return the requests that ``trigger_all`` would make. Nothing is stored or sent.

        Raises:
            InvalidValue: an unknown event, a wrong path, or an assumption that is refused.
            NotFound: there is no such product or delivery.
        """
        return self._triggers.dry_run(request)

    @waits("leanbe.deliver()")
    async def deliver(self, *, watcher: Watcher = NOBODY) -> Results[Attempt]:
        """Make every attempt that is due, once.

        Events that receivers record meanwhile are delivered, too.

        Returns:
            The attempts that were made.

        Raises:
            Conflict: a transaction is open: no requests are made inside one.
            EndlessDeliveries: receivers recorded event after event.
        """
        self._attempts.require_possible()
        settled = await self._engine.deliver_due(watcher=watcher)
        made = [(each.delivery_id, each.number) for each in settled]
        attempts = {
            (delivery.id, attempt.number): attempt
            for delivery in self.deliveries.of({delivery_id for delivery_id, _ in made})
            for attempt in delivery.attempts
        }
        # A delivery that was deleted meanwhile, or whose lease we lost, is not among them.
        return Results(attempts[each] for each in made if each in attempts)

    @waits("leanbe.follow()")
    async def follow(self, deliveries: Sequence[Delivery], *, watcher: Watcher = NOBODY) -> Nothing:
        """Make the attempts of these deliveries when they fall due, until all are settled.

        Raises:
            Conflict: a transaction is open.
            WaitTimedOut: the clock is manual, and none of the remaining deliveries can be attempted
                before somebody moves it: none is due, or a due one waits (``ordering = strict``)
                for an earlier delivery of its product that is not due.
        """
        self._attempts.require_possible()
        await self._engine.follow(
            [each.id for each in deliveries],
            is_pending=self._is_pending,
            watcher=watcher,
            require_coming=self._require_attemptable,
        )
        return NOTHING

    @waits("leanbe.settle()")
    async def settle(
        self, *, until: Callable[[], bool] | None = None, timeout_seconds: float = SETTLE_SECONDS
    ) -> Nothing:
        """Wait until receivers in this process have finished the work that follows their answers.

        Args:
            until: a further condition. Use it for an app whose own tasks (a queue's consumer) never
                end: they run only while a caller waits.
            timeout_seconds: how long to wait.

        Raises:
            Conflict: a transaction is open, or a receiver makes this call.
            WaitTimedOut: the work was not finished in time; the message names the line.
        """
        self._attempts.require_possible()
        await self._engine.settle(until=until, timeout_seconds=timeout_seconds)
        return NOTHING

    @waits("leanbe.stop_receivers()")
    async def stop_receivers(self) -> Nothing:
        """Stop and forget the receivers in this process, and their lifespans; all else stays.

        An exception that a receiver raised since its last answer is raised here.

        Raises:
            Conflict: a transaction is open, or a receiver makes this call.
        """
        self._attempts.require_possible()
        await self._engine.leave_loop()
        return NOTHING

    def work(
        self,
        *,
        drain: bool = False,
        concurrency: int | None = None,
        per_product: int | None = None,
        watcher: Watcher = NOBODY,
    ) -> signal.Signals | None:
        """Run a worker: deliver what is due until SIGTERM, SIGINT or SIGHUP.

        Args:
            drain: whether to return as soon as nothing is due.
            concurrency: attempts in flight at once; the settings' by default.
            per_product: attempts of one product in flight at once; the settings' by default.
            watcher: gets a call for each attempt.

        Returns:
            The signal that stopped the worker; None if ``drain`` found nothing left.

        Raises:
            Conflict: a transaction is open, or an event loop runs here: a worker runs its own.
        """
        self._attempts.require_possible()
        require_no_loop()
        return self._engine.work(
            drain=drain,
            watcher=watcher,
            concurrency=concurrency or self._settings.concurrency,
            per_product=per_product or self._settings.per_product,
        )

    def working(
        self,
        *,
        concurrency: int | None = None,
        per_product: int | None = None,
        watcher: Watcher = NOBODY,
    ) -> AbstractAsyncContextManager[asyncio.Task[None]]:
        """Run a worker in the running event loop while an ``async with`` block lasts.

        The worker uses the database in a thread of its own. At the end of the block it claims
        nothing more, and finishes the attempts in flight. The arguments are those of ``work``.

        Yields:
            The worker's task. It is done before the end of the block only if the worker failed.
        """
        return self._engine.working(
            watcher=watcher,
            concurrency=concurrency or self._settings.concurrency,
            per_product=per_product or self._settings.per_product,
        )

    @waits("leanbe.wait_until_idle()")
    async def wait_until_idle(self, *, timeout_seconds: float) -> Nothing:
        """Wait until no delivery is due or in flight, whichever process makes the attempts.

        Raises:
            Conflict: a transaction is open: it would not see what other processes do.
            WaitTimedOut: a delivery was still due or in flight after that time.
        """
        self._transactions.require_none("Waiting")
        await wait_until(
            self.is_idle,
            timeout_seconds=timeout_seconds,
            came=lambda: "deliveries are still due or in flight",
            why=lambda: self.deliveries.pending_reason(Filter()).words,
        )
        return NOTHING

    def assert_delivered(
        self,
        event: str,
        *,
        times: int | None = None,
        payload: Any = None,
        product: ProductRef | None = None,
    ) -> list[Delivery]:
        """Assert that the receiver accepted an event, at least once or exactly ``times`` times.

        Args:
            event: an event name, or a glob (``idea.*``).
            times: the number of deliveries; each redelivery counts as one more.
            payload: a part of the payload: an object may have more members, an array may not.
            product: the product of the event; any product by default.

        Returns:
            The deliveries, oldest first.

        Raises:
            AssertionError: the receiver did not; the message shows what was delivered instead.
            EventsNotDelivered: a recorded event is still due.
            InvalidValue: there is no such event, or ``times`` is less than 1.
        """
        __tracebackhide__ = True
        return self._assertions.delivered(event, times=times, payload=payload, product=product)

    def refute_delivered(
        self, event: str, *, payload: Any = None, product: ProductRef | None = None
    ) -> None:
        """Assert that the receiver did not get an event.

        An event whose attempt has the outcome ``unknown`` may have arrived, so it fails the
        assertion, too. It does not if a fault caused the outcome and the receiver was not called.

        Args:
            event: an event name, or a glob (``customer.*``).
            payload: a part of the payload.
            product: the product of the event; any product by default.

        Raises:
            AssertionError: the receiver got the event; the message shows which deliveries.
            EventsNotDelivered: a recorded event is still due.
            InvalidValue: there is no such event.
        """
        __tracebackhide__ = True
        self._assertions.not_delivered(event, payload=payload, product=product)

    def assert_refused(
        self,
        event: str,
        *,
        status: int | None = None,
        times: int | None = None,
        payload: Any = None,
        product: ProductRef | None = None,
    ) -> list[Delivery]:
        """Assert that the receiver's last answer to an event was a refusal.

        Args:
            event: an event name, or a glob (``idea.*``).
            status: the status of the answer; any status that does not accept by default.
            times: the number of refused deliveries; at least one by default.
            payload: a part of the payload.
            product: the product of the event; any product by default.

        Returns:
            The deliveries, oldest first.

        Raises:
            AssertionError: the receiver did not refuse; the message shows what happened instead.
            EventsNotDelivered: a recorded event is still due.
            InvalidValue: there is no such event, or ``times`` is less than 1.
        """
        __tracebackhide__ = True
        return self._assertions.refused(
            event, status=status, times=times, payload=payload, product=product
        )

    def assert_order(self, events: Sequence[str], *, product: ProductRef | None = None) -> None:
        """Assert that the receiver accepted these events in this order; others may be between.

        Args:
            events: event names or globs, in their order.
            product: the product of the events; any product by default.

        Raises:
            AssertionError: the receiver did not; the message shows the order of the deliveries.
            EventsNotDelivered: a recorded event is still due.
            InvalidValue: there is no such event, or ``events`` has fewer than two.
        """
        __tracebackhide__ = True
        self._assertions.in_order(events, product=product)

    def due(self) -> Due:
        """Return how many deliveries are due, since when, and how many are in flight.

        Raises:
            Conflict: a transaction is open; its deliveries are not due before it ends.
        """
        self._transactions.require_none("Asking what is due")
        return self._engine.queue.due()

    def is_idle(self) -> bool:
        """Return whether no delivery is due or in flight; it raises what ``due`` raises."""
        due = self.due()
        return due.count == due.in_flight == 0

    def counts(self) -> Counts:
        """Return the numbers of products, events and deliveries."""
        with self._transactions.looking() as session:
            return count(session)

    def info(self) -> Info:
        """Return the version, the database, the time, the counts, and the default assumptions.

        Raises:
            DatabaseUnavailable: the database cannot be reached.
        """
        return Info(
            version=leanbe_emitter.__version__,
            db=self.db,
            clock_kind=self.clock.kind,
            now=self.clock.now(),
            counts=self.counts(),
            assumptions=self._assumed,
        )

    def metrics(self) -> Metrics:
        """Return what this handle did since it was opened, and what the database holds as due.

        Counters are readable while the database is away; values from the database are None then.

        Raises:
            Conflict: a transaction is open; its deliveries are not due before it ends.
        """
        self._transactions.require_none("Asking for metrics")
        return self._engine.metrics()

    def schema(self) -> Schema:
        """Compare the database's tables with those of this program.

        Raises:
            DatabaseUnavailable: the database cannot be reached.
        """
        return schema_of(self._database)

    def require_ready(self) -> None:
        """Check that the database has this program's tables, takes writes, and answers workers.

        Raises:
            Conflict: a transaction is open.
            DatabaseBehind: the database's tables are not those of this program.
            DatabaseUnavailable: the database cannot be reached, its file is gone, its disk is full,
                another process held its lock for as long as an action waits, or the last write of a
                worker failed.
        """
        self._transactions.require_none("Asking whether all is ready")
        schema = self.schema()
        if schema.state is not SchemaState.CURRENT:
            raise not_ready(schema)
        write_revision_again(self._database)
        self._engine.require_reached()

    @property
    def in_flight(self) -> int:
        """The number of attempts that workers of this handle are making now."""
        return self._engine.in_flight()

    @property
    def writes_alone(self) -> bool:
        """Whether the database takes one writing transaction at a time, as SQLite does."""
        return self._database.dialect == "sqlite"

    @property
    def db(self) -> str:
        """The database's URL, without a password."""
        return shown(self._database.url)

    def new_job_name(self) -> str:
        """Return a name that no job has yet."""
        return self._ids.object_id(self._clock.now())

    def prune(
        self, *, older_than: timedelta, told: Callable[[Pruned], None] = lambda _: None
    ) -> Pruned:
        """Delete old settled deliveries in batches; pending deliveries stay.

        Args:
            older_than: the age at which settled deliveries with their attempts, events without a
                pending delivery, and their journal entries are deleted.
            told: is called after each batch with the numbers of rows deleted until then.

        Raises:
            Conflict: a transaction is open.
        """
        self._transactions.require_none("Pruning")
        return prune(self._database, before=self._clock.now() - older_than, on_batch=told)

    @waits("leanbe.reset()")
    async def reset(self, *, ids: Literal["go on", "restart"] = "go on") -> Nothing:
        """Delete everything, faults too, and stop and forget the receivers in this process.

        Attempts in flight are cancelled in this process; those of other processes change nothing
        any more. The same transaction plants the database's seed file again.

        Args:
            ids: ``restart`` to generate the same ids and secrets as after the last ``restart``, and
                to set the database's manual clock back to the time that was last set.

        Raises:
            Conflict: a transaction is open, or a receiver makes this call.
        """
        self._attempts.require_possible()
        with self._database.transaction() as session:
            empty(session)
            now = self._begin_again(session) if ids == "restart" else None
            self.seeds.replant(session, now=now)
        self._engine.abandon()
        await self._engine.leave_loop()
        return NOTHING

    def _begin_again(self, session: Session) -> datetime | None:
        """Restart ids and the database's clock; return the instant of that clock, if it is used."""
        self._ids.restart()
        return self._clock.begin_again(session) if isinstance(self._clock, StoredClock) else None

    @waits("leanbe.close()")
    async def close(self) -> Nothing:
        """Close connections and the database, and stop receivers. A database in memory is gone.

        Raises:
            NotAwaited: a call was not awaited.
        """
        await self._close()
        self._transactions.unawaited.close()
        self._engine.raise_app_errors()
        return NOTHING

    def __enter__(self) -> Self:
        require_async_with("Leanbe()")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        drive(self.__aexit__(kind, error, trace))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            await self.close()
            return
        await self._close()
        with suppress(NotAwaited):  # the block's own exception tells more, also than a receiver's
            self._transactions.unawaited.close()

    def __repr__(self) -> str:
        return f"Leanbe({self._database!r})"

    async def _close(self) -> None:
        try:
            await self._engine.close()
        finally:
            self._database.close()
            if isinstance(self._clock, StoredClock):
                self._clock.close()

    def _usual_product(self) -> Product | None:
        """Return the product of events that name none; None: the only product."""
        return None

    def _product_at(self, to: object, product: ProductRef | None) -> Product:
        """Return the product whose webhook is there; create one if there is none."""
        if product is not None:
            raise InvalidValue(
                "Both a receiver and a product were given.",
                hint="A product's events go to its own webhook: give one of them.",
            )
        return self.products.at(to)

    def _is_pending(self, delivery_id: str) -> bool:
        with self._transactions.looking() as session:
            row = session.get(DeliveryRow, delivery_id)
            return row is not None and row.state.status is DeliveryStatus.PENDING

    def _require_attemptable(self, delivery_ids: Sequence[str]) -> None:
        """Check that one of these deliveries can be attempted before a manual clock is moved.

        Raises:
            WaitTimedOut: none of them can.
        """
        if kind_of(self._clock) != MANUAL:
            return
        left, now = self.deliveries.pending_of(delivery_ids), self._clock.now()
        if left and all(each.is_later(now) for each in left):
            with self._transactions.looking() as session:
                pending_reason = reason_pending(session, left, clock=self._clock)
            raise WaitTimedOut(
                "What is left is due later, and the time stands still.", hint=pending_reason.words
            )


def _require_one(event: object) -> None:
    """Check that ``event`` is the name of one event, and no list."""
    if not isinstance(event, str):
        raise InvalidValue(
            f"{event!r} is not the name of one event.",
            hint="For several, use leanbe.trigger_all(TriggerRequest(events=[...])).",
        )
