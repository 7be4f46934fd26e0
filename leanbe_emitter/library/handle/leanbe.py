"""``Leanbe``: the handle of a database, as users open it.

Every capability of the package is a method of ``Leanbe`` or of one of its attributes. The command
line and the server only parse, call and print. The methods here are short: their work is done by
``Triggers``, ``Assertions`` and the engine, which ``DatabaseHandle`` puts together.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from leanbe_emitter.clock import MANUAL
from leanbe_emitter.delivery.in_process.call import SETTLE_SECONDS
from leanbe_emitter.delivery.watching import Watcher
from leanbe_emitter.errors import InvalidValue, WaitTimedOut, check_type
from leanbe_emitter.library.deliveries.delivery import Delivery, RecordedEvents
from leanbe_emitter.library.deliveries.delivery_filter import Filter
from leanbe_emitter.library.deliveries.waiting import reason_pending
from leanbe_emitter.library.handle.database_handle import DatabaseHandle
from leanbe_emitter.library.runtime.awaitables import (
    NOTHING,
    Nothing,
    Results,
    wait_until,
    waits,
    waits_at_end,
)
from leanbe_emitter.library.runtime.loop_runner import require_no_loop
from leanbe_emitter.library.setup.product import Product, ProductRef
from leanbe_emitter.library.trigger.synthetic_events import Changes, Sample, TriggerRequest
from leanbe_emitter.library.trigger.triggers import DryRun, Triggered
from leanbe_emitter.storage.queries.stored_clock import kind_of
from leanbe_emitter.storage.schema.states import DeliveryStatus
from leanbe_emitter.storage.schema.tables import DeliveryRow
from leanbe_emitter.wire.stringify import JSON


class Leanbe(DatabaseHandle):
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

    @waits_at_end("leanbe.foreground()")
    async def foreground(
        self, watcher: Watcher | None = None, *, deliver: bool = True
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
        events, lease = RecordedEvents(), self._engine.new_lease() if deliver else None
        with self._transactions.begin(lease=lease) as transaction:
            yield events
        events.recorded = tuple(transaction.recorded)
        made_here = [each.delivery_id for each in events.recorded if each.delivery_id]
        await self._engine.attempt(made_here, lease=lease, watcher=watcher)
        events.deliveries = tuple(self.deliveries.of(made_here))

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
        watcher: Watcher | None = None,
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
            self._engine.require_possible()
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
        self, request: TriggerRequest, *, deliver: bool = True, watcher: Watcher | None = None
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
        example = 'a request: TriggerRequest(events=["idea.created"])'
        check_type(request, TriggerRequest, what="The request", words=example)
        return Results(await self._triggers.run(request, deliver=deliver, watcher=watcher))

    def dry_run(self, request: TriggerRequest) -> list[DryRun]:
        """Return the requests that ``trigger_all`` would make. Nothing is stored or sent.

        Raises:
            InvalidValue: an unknown event, a wrong path, or an assumption that is refused.
            NotFound: there is no such product or delivery.
        """
        return self._triggers.dry_run(request)

    @waits("leanbe.follow()")
    async def follow(
        self, deliveries: Sequence[Delivery], *, watcher: Watcher | None = None
    ) -> Nothing:
        """Make the attempts of these deliveries when they fall due, until all are settled.

        Raises:
            Conflict: a transaction is open.
            WaitTimedOut: the clock is manual, and none of the remaining deliveries can be attempted
                before somebody moves it: none is due, or a due one waits (``ordering = strict``)
                for an earlier delivery of its product that is not due.
        """
        self._engine.require_possible()
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
        self._engine.require_possible()
        await self._engine.settle(until=until, timeout_seconds=timeout_seconds)
        return NOTHING

    @waits("leanbe.stop_receivers()")
    async def stop_receivers(self) -> Nothing:
        """Stop and forget the receivers in this process, and their lifespans; all else stays.

        An exception that a receiver raised since its last answer is raised here.

        Raises:
            Conflict: a transaction is open, or a receiver makes this call.
        """
        self._engine.require_possible()
        await self._engine.leave_loop()
        return NOTHING

    def work(
        self,
        *,
        drain: bool = False,
        concurrency: int | None = None,
        per_product: int | None = None,
        watcher: Watcher | None = None,
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
        self._engine.require_possible()
        require_no_loop()
        return self._engine.work(
            drain=drain, watcher=watcher, concurrency=concurrency, per_product=per_product
        )

    def working(
        self,
        *,
        concurrency: int | None = None,
        per_product: int | None = None,
        watcher: Watcher | None = None,
    ) -> AbstractAsyncContextManager[asyncio.Task[None]]:
        """Run a worker in the running event loop while an ``async with`` block lasts.

        The worker uses the database in a thread of its own. At the end of the block it claims
        nothing more, and finishes the attempts in flight. The arguments are those of ``work``.

        Yields:
            The worker's task. It is done before the end of the block only if the worker failed.
        """
        return self._engine.working(
            watcher=watcher, concurrency=concurrency, per_product=per_product
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
        """Check that one of these deliveries can be attempted before a manual clock is moved."""
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
