"""The part of ``Leanbe`` that makes attempts: what triggers, delivers and waits.

Attempts are made one after the other, so that the same calls give the same bytes in the same order.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from leanbe_emitter.clock import MANUAL, Clock
from leanbe_emitter.delivery.in_process.receivers import SETTLE_SECONDS
from leanbe_emitter.delivery.worker.watcher import NOBODY, Watcher
from leanbe_emitter.domain import named_products, webhooks
from leanbe_emitter.domain.action import Action
from leanbe_emitter.errors import Conflict, InvalidValue, NotFound, WaitTimedOut
from leanbe_emitter.hints import SET_WEBHOOK
from leanbe_emitter.ids import Ids
from leanbe_emitter.library.deliveries.deliveries import Deliveries
from leanbe_emitter.library.deliveries.delivery import Attempt, Delivery, DeliveryRef, Event
from leanbe_emitter.library.deliveries.pending_reason import of_pending
from leanbe_emitter.library.deliveries.redeliver_jobs import Job, Redelivered, Redelivering
from leanbe_emitter.library.handle.recorded_events import RecordedEvents
from leanbe_emitter.library.runtime.awaitables import waits, waits_at_end
from leanbe_emitter.library.runtime.engine import Engine
from leanbe_emitter.library.runtime.loops import require_no_receiver
from leanbe_emitter.library.runtime.paging import PAGE, Page
from leanbe_emitter.library.runtime.references import delivery_row
from leanbe_emitter.library.runtime.results import NOTHING, Nothing, Results
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.library.setup.product import Product, ProductRef
from leanbe_emitter.library.setup.products import Products
from leanbe_emitter.library.trigger.synthetic_events import Changes, Sample, TriggerRequest
from leanbe_emitter.library.trigger.trigger import DryRun, Triggered, dry_runs
from leanbe_emitter.library.trigger.trigger_request import ask, recorded
from leanbe_emitter.outbox import Lease, redeliver
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.queries.clock import kind_of
from leanbe_emitter.storage.schema.states import DeliveryStatus
from leanbe_emitter.storage.schema.tables import DeliveryRow, EventRow
from leanbe_emitter.wire.stringify import JSON


class Attempting:
    """The part of ``Leanbe`` that makes attempts."""

    products: Products
    deliveries: Deliveries
    _clock: Clock
    _ids: Ids
    _settings: Settings
    _transactions: Transactions
    _engine: Engine

    @waits_at_end("leanbe.foreground()")
    async def foreground(
        self, watcher: Watcher = NOBODY, *, deliver: bool = True
    ) -> AsyncIterator[RecordedEvents]:
        """Make the calls of this block one transaction, and their events' first attempts after it.

        ``async with`` begins it where an event loop runs.

        Args:
            watcher: is told of the attempts.
            deliver: whether to make the first attempts at once; else a worker makes them.

        Yields:
            What the block raised; it is complete when the block has ended.

        Raises:
            Conflict: a transaction is open already.
        """
        raised, lease = RecordedEvents(), self._new_lease(deliver=deliver)
        with self._transactions.begin(lease=lease) as transaction:
            yield raised
        raised.recorded = tuple(transaction.recorded)
        owed = [each.delivery_id for each in raised.recorded if each.delivery_id]
        await self._attempt(owed, lease=lease, watcher=watcher)
        raised.deliveries = tuple(self.deliveries.of(owed))

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
        """Raise one synthetic event and make the first attempt of its delivery at once.

        Args:
            event: one of the 22 names.
            to: where it goes: a URL, or a receiver in this process as ``products.create`` takes it.
                It is an event of the product whose webhook is there; where there is none, one is
                made, and has a secret of its own. So give the secret that a receiver verifies with
                to ``products.create`` first; a suite's handle takes a ``testing.Receiver``, too.
            product: whose event it is; the only product, if none is named.
            set: text by path, to change the sample payload (``country.countryCode``).
            payload: a whole payload instead of the sample; ``set`` changes it.
            assume: assumptions for this one request.
            watcher: is told of the attempt.

        Raises:
            Conflict: the product has no webhook URL, or does not want the event (contract d-8).
            InvalidValue: an unknown event, a wrong path, an assumption that is refused.
            NotFound: there is no such product.
        """
        _require_one(event)
        if to is not None:
            self._require_free()
            product = self._product_at(to, product)
        elif product is None:
            product = self._usual_product()
        wanted = TriggerRequest(
            events=[event],
            product=product,
            changes=Changes(set=set or {}, payload=payload),
            assume=assume or {},
        )
        (triggered,) = await self.trigger_all(wanted, watcher=watcher)
        return triggered.owed()

    @waits("leanbe.trigger_all()")
    async def trigger_all(
        self, wanted: TriggerRequest, *, deliver: bool = True, watcher: Watcher = NOBODY
    ) -> Results[Triggered]:
        """Raise synthetic events of one and the same document.

        Args:
            wanted: which events, and how they differ from the samples.
            deliver: whether to make the first attempts at once; else a worker makes them.
            watcher: is told of the attempts.

        Raises:
            Conflict: attempts were to be made inside a transaction.
            InvalidValue: an unknown event, a wrong path, an assumption that is refused.
            NotFound: there is no such product or delivery.
        """
        lease = self._new_lease(deliver=deliver)
        with self._transactions.acting() as action:
            made = recorded(
                action.session,
                wanted,
                now=action.now,
                ids=self._ids,
                settings=self._settings,
                lease=lease,
            )
            events = [Event.of(action.session.get_one(EventRow, each.event_id)) for each in made]
        delivery_ids = [each.delivery_id for each in made]
        owed = [each for each in delivery_ids if each]
        await self._attempt(owed, lease=lease, watcher=watcher)
        deliveries = {each.id: each for each in self.deliveries.of(owed)}
        return Results(
            Triggered(event=event, delivery=deliveries.get(delivery_id or ""))
            for event, delivery_id in zip(events, delivery_ids, strict=True)
        )

    def dry_run(self, wanted: TriggerRequest) -> list[DryRun]:
        """Return the requests that ``trigger_all`` would make; nothing is stored or sent.

        Raises:
            InvalidValue: an unknown event, a wrong path, an assumption that is refused.
            NotFound: there is no such product or delivery.
        """
        now = self._clock.now()
        with self._transactions.looking() as session:
            asked = ask(session, wanted, now=now, ids=self._ids, settings=self._settings)
            return list(dry_runs(asked, webhooks.get(session, asked.product), now=now))

    @waits("leanbe.deliver()")
    async def deliver(self, *, watcher: Watcher = NOBODY) -> Results[Attempt]:
        """Make every attempt that is due, once; return the attempts that were made.

        What receivers record meanwhile is due, too.

        Raises:
            Conflict: a transaction is open: there is no HTTP inside one.
            EndlessDeliveries: receivers recorded event after event.
        """
        self._require_free()
        settled = await self._engine.deliver_due(watcher=watcher)
        made = [(each.delivery_id, each.number) for each in settled]
        attempts = {
            (delivery.id, attempt.number): attempt
            for delivery in self.deliveries.of({delivery_id for delivery_id, _ in made})
            for attempt in delivery.attempts
        }
        # What somebody deleted meanwhile, or took because the lease ran out, is not among them.
        return Results(attempts[each] for each in made if each in attempts)

    @waits("leanbe.follow()")
    async def follow(self, deliveries: Sequence[Delivery], *, watcher: Watcher = NOBODY) -> Nothing:
        """Make the attempts of these deliveries when they are due, until all are settled.

        Raises:
            Conflict: a transaction is open.
            WaitTimedOut: the clock is a manual one, and none of those that are left can begin
                before it is moved: none is due, or what is due waits for another one of its
                product (``ordering = strict``) that is not.
        """
        self._require_free()
        await self._engine.follow(
            [each.id for each in deliveries],
            is_owed=self._is_owed,
            watcher=watcher,
            require_coming=self._require_coming,
        )
        return NOTHING

    @waits("leanbe.redeliver()")
    async def redeliver(
        self, references: Sequence[DeliveryRef], *, deliver: bool = True, watcher: Watcher = NOBODY
    ) -> Results[str]:
        """Deliver old events again: the same bytes, to the products' present URLs.

        Args:
            references: deliveries of the events.
            deliver: whether to make the first attempts at once; else a worker makes them.
            watcher: is told of the attempts.

        Returns:
            The ids of the new deliveries.

        Raises:
            Conflict: a product has no URL now, or a transaction is open.
            NotFound: there is no such delivery.
        """
        lease = self._new_lease(deliver=deliver)
        with self._transactions.acting() as action:
            session = action.session
            old = [delivery_row(session, reference) for reference in references]
            # In the order of their ids, as outbox.record locks them.
            for product_id in sorted({each.product_id for each in old}):
                _require_url(action, product_id)
            events = [_kept(session, each.event_id) for each in old]
            new = [
                redeliver(session, event, now=action.now, ids=self._ids, lease=lease)
                for event in events
            ]
        await self._attempt(new, lease=lease, watcher=watcher)
        return Results(new)

    @waits("leanbe.redeliver_all()")
    async def redeliver_all(
        self, job: Job, *, deliver: bool = True, watcher: Watcher = NOBODY
    ) -> Redelivered:
        """Run a job: deliver many old events again, each once, however often it is started.

        Broken off, it goes on where it ended when a job of the same name is run again: first with
        the attempts that were missing. Without ``deliver``, the first attempts are left to a
        worker.

        Raises:
            Conflict: another process runs the same job, the job of that name has another filter,
                or a transaction is open.
            NotFound: there is no such delivery or product.
            InvalidValue: a reference names several, or the filter is refused.
        """
        return await self._redelivering(watcher).run(job, deliver=deliver)

    def rehearse_redelivery(
        self, job: Job, *, limit: int = PAGE, after: str | None = None
    ) -> Page[Delivery]:
        """Return deliveries whose events ``redeliver_all`` would deliver again, the oldest first.

        It would pass over those whose product has no URL now, and so does this.

        Args:
            job: which one.
            limit: how many at the most.
            after: the cursor of the page before.

        Raises:
            Conflict: the job of that name has another filter.
            NotFound: there is no such delivery or product.
            InvalidValue: a reference names several, the filter is refused, ``limit`` is 0, or
                ``after`` is no cursor.
        """
        planned = self._redelivering(NOBODY).planned(job, limit=limit, after=after)
        return Page(self.deliveries.of(planned), cursor=planned.cursor)

    @waits("leanbe.settle()")
    async def settle(
        self, *, until: Callable[[], bool] | None = None, timeout_seconds: float = SETTLE_SECONDS
    ) -> Nothing:
        """Wait until receivers in this process have done what they do after their answers.

        Args:
            until: what else must hold, where an app's own tasks (a queue's consumer) never end:
                they move only while somebody waits.
            timeout_seconds: how long to wait.

        Raises:
            Conflict: a transaction is open, or this is inside a receiver.
            WaitTimedOut: it was not done; the message names the line.
        """
        self._require_free()
        await self._engine.settle(until=until, timeout_seconds=timeout_seconds)
        return NOTHING

    @waits("leanbe.stop_receivers()")
    async def stop_receivers(self) -> Nothing:
        """Stop and forget the receivers in this process, and their lifespans; all else stays.

        What they raised since is raised here.

        Raises:
            Conflict: a transaction is open, or this is inside a receiver.
        """
        self._require_free()
        await self._engine.leave_loop()
        return NOTHING

    def _usual_product(self) -> Product | None:
        """Return whose events are triggered where nobody is named; None: the only product's."""
        return None

    def _product_at(self, to: object, product: ProductRef | None) -> Product:
        """Return the product whose webhook is there; make one if there is none."""
        if product is not None:
            raise InvalidValue(
                "Both a receiver and a product were given.",
                hint="A product's events go to its own webhook: give one of them.",
            )
        return self.products.at(to)

    def _redelivering(self, watcher: Watcher) -> Redelivering:
        return Redelivering(
            self._transactions,
            new_lease=lambda deliver: self._new_lease(deliver=deliver),
            attempt=lambda new, lease: self._attempt(new, lease=lease, watcher=watcher),
            attempt_due=lambda owed: self._attempt_due(owed, watcher=watcher),
        )

    def _new_lease(self, *, deliver: bool) -> Lease | None:
        """Return a lease for first attempts that are to be made here; None: a worker makes them."""
        if not deliver:
            return None
        self._require_free()
        return self._engine.new_lease()

    async def _attempt(self, ids: Sequence[str], *, lease: Lease | None, watcher: Watcher) -> None:
        """Make the first attempts of what was recorded with this lease, if it was with one."""
        if lease is not None:
            await self._engine.attempt(ids, lease=lease, watcher=watcher)

    async def _attempt_due(self, ids: Sequence[str], *, watcher: Watcher) -> None:
        """Make the attempts of those that are due and that nobody holds."""
        self._require_free()
        await self._engine.attempt_due(ids, watcher=watcher)

    def _require_free(self) -> None:
        """See to it that attempts can be made here, before anything is leased for them."""
        self._transactions.require_none("Making attempts")
        require_no_receiver()

    def _require_coming(self, owed: Sequence[str]) -> None:
        """See to it that one of these comes by itself: on a manual clock, what is due alone does.

        What another one holds back comes when that one does.

        Raises:
            WaitTimedOut: none of them does.
        """
        if kind_of(self._clock) != MANUAL:
            return
        left, now = self.deliveries.owed(owed), self._clock.now()
        if left and all(each.is_later(now) for each in left):
            with self._transactions.looking() as session:
                pending_reason = of_pending(session, left, clock=self._clock)
            raise WaitTimedOut(
                "What is left is due later, and the time stands still.", hint=pending_reason.words
            )

    def _is_owed(self, delivery_id: str) -> bool:
        with self._transactions.looking() as session:
            row = session.get(DeliveryRow, delivery_id)
            return row is not None and row.state.status is DeliveryStatus.PENDING


def _require_url(action: Action, product_id: str) -> None:
    product = named_products.get(action.session, product_id)
    action.lock(product)
    if webhooks.get(action.session, product).url is None:
        raise Conflict(
            f"The product {product.name!r} has no webhook URL.",
            hint=SET_WEBHOOK.between("Set one first: ", "."),
        )


def _kept(session: Session, event_id: str) -> EventRow:
    """Return an event that is not pruned while the transaction lasts."""
    lock = {"read": True, "key_share": True}
    row = session.get(EventRow, event_id, with_for_update=lock, populate_existing=True)
    if row is None:
        raise NotFound("The event of that delivery was pruned just now.")
    return row


def _require_one(event: object) -> None:
    """See that an event is named, and not several."""
    if not isinstance(event, str):
        raise InvalidValue(
            f"{event!r} is not the name of one event.",
            hint="For several, use leanbe.trigger_all(Wanted(events=[...])).",
        )
