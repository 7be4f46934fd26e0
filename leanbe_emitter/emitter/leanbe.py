"""``Leanbe``: the composition root, and the library's face.

Everything that the package can do is a method here or on one of its attributes; the command line
only parses, calls and prints. Methods that make attempts run them on the caller's thread, one after
the other, so that the same calls give the same bytes in the same order.
"""

import random
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from sqlalchemy.orm import Session

from leanbe_emitter.clock import Clock, SystemClock
from leanbe_emitter.delivery.in_process.answering import Kept
from leanbe_emitter.delivery.in_process.receivers import SETTLE_SECONDS, Receivers
from leanbe_emitter.delivery.metrics import Metrics
from leanbe_emitter.delivery.queue import Due
from leanbe_emitter.delivery.transport import Transport
from leanbe_emitter.delivery.watcher import Nobody, Watcher
from leanbe_emitter.domain import products, webhooks
from leanbe_emitter.domain.action import Action, Limits
from leanbe_emitter.emitter.advancing import AdvancingClock
from leanbe_emitter.emitter.asserting import Asserting
from leanbe_emitter.emitter.deliveries import Deliveries, DeliveryRef, row_of
from leanbe_emitter.emitter.engine import Engine
from leanbe_emitter.emitter.loops import require_no_loop
from leanbe_emitter.emitter.products import Assumptions, ProductRef, Products, Webhooks
from leanbe_emitter.emitter.raised import Raised
from leanbe_emitter.emitter.redelivering import Job, Redelivered, Redelivering
from leanbe_emitter.emitter.snapshots import Attempt, Delivery, Event, Product
from leanbe_emitter.emitter.synthetic import Changes, Sample, Wanted
from leanbe_emitter.emitter.transactions import Transactions
from leanbe_emitter.emitter.triggering import Asked, Rehearsed, Triggered, ask
from leanbe_emitter.emitter.users import Users
from leanbe_emitter.emitter.watching import Watching
from leanbe_emitter.errors import Conflict, InvalidValue, LeanbeError, NotFound
from leanbe_emitter.ids import Ids
from leanbe_emitter.outbox import record, redeliver
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.database import Database
from leanbe_emitter.storage.emptying import empty
from leanbe_emitter.storage.migrate import prepare
from leanbe_emitter.storage.retention import Pruned, prune
from leanbe_emitter.storage.states import DeliveryStatus
from leanbe_emitter.storage.tables import DeliveryRow, EventRow
from leanbe_emitter.targets import TargetRules
from leanbe_emitter.wire.assumptions import check
from leanbe_emitter.wire.stringify import JSON

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport

NOBODY = Nobody()


class Leanbe(Asserting):
    """Leanbe's sending side.

    Args:
        db: ``:memory:``, or any SQLAlchemy URL of SQLite or PostgreSQL. SQLite is created and
            migrated; PostgreSQL must be ready.
        assume: assumptions of the products that are made here (contract d).
        seed: gives the same ids and secrets in every run.
        clock: tells the time; the machine's by default.
        ids: the source of ids and secrets, instead of ``seed``.
        transport: carries requests instead of the network sender: a ``Transport`` of ours, or an
            ``httpx.AsyncBaseTransport``.
        settings: limits, leases and allowed targets.
        app_errors: whether what a receiver in this process raised is also raised here, after its
            attempt was recorded as a 500.

    Attributes:
        products, webhooks, assumptions, users, deliveries: what there is to act on.
        clock: the time; a ``ManualClock`` is moved with all that falls due on the way.
        watching: follows what happens, whichever process does it.
        created: whether the database was made, or migrated, just now.

    Raises:
        InvalidValue: ``db`` is no URL of a database, or an assumption is refused.
        DatabaseUnavailable: the database cannot be opened.
        DatabaseBehind: its tables are not those of this program.
    """

    def __init__(  # noqa: PLR0913 - each part can be given from outside
        self,
        db: str = ":memory:",
        *,
        assume: Mapping[str, str] | None = None,
        seed: int | str | None = None,
        clock: Clock | None = None,
        ids: Ids | None = None,
        transport: "Transport | AsyncBaseTransport | None" = None,
        settings: Settings | None = None,
        app_errors: Literal["raise", "record"] = "raise",
    ) -> None:
        self._settings = settings or Settings()
        self._clock = clock or SystemClock()
        source = None if seed is None else random.Random(seed)  # noqa: S311 - seeded on purpose
        self._ids = ids or Ids(source)
        rules = TargetRules(allow=self._settings.allow_targets)
        assumed = {**self._settings.assume, **(assume or {})}
        assumed = {name: check(name, value) for name, value in assumed.items()}
        self._database = Database(db)
        self.created = _prepared(self._database)
        self._transactions = Transactions(
            self._database,
            clock=self._clock,
            ids=self._ids,
            rules=rules,
            assume=assumed,
            limits=Limits(
                max_depth=self._settings.max_depth,
                max_payload_bytes=self._settings.max_payload_bytes,
            ),
        )
        self._receivers = Receivers(
            kept=Kept(
                answer_bytes=self._settings.kept_answer_bytes,
                header_bytes=self._settings.kept_header_bytes,
            )
        )
        self._engine = Engine(
            self._database,
            clock=self._clock,
            ids=self._ids,
            settings=self._settings,
            rules=rules,
            transport=_carrier(transport, rules=rules, settings=self._settings),
            receivers=self._receivers,
            raises_app_errors=app_errors == "raise",
        )
        self.products = Products(self._transactions, receivers=self._receivers)
        self.webhooks = Webhooks(self._transactions, receivers=self._receivers)
        self.assumptions = Assumptions(self._transactions)
        self.users = Users(self._transactions)
        self.deliveries = Deliveries(self._transactions, redeliver=self.redeliver)
        self.watching = Watching(self._transactions, self.deliveries)
        self.clock = AdvancingClock(self._clock, self._transactions, deliver=self.deliver)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the calls of this block one transaction: all or nothing, with their events.

        Raises:
            Conflict: one is open already; they do not nest.
        """
        with self._transactions.begin():
            yield

    @contextmanager
    def foreground(self, watcher: Watcher = NOBODY, *, deliver: bool = True) -> Iterator[Raised]:
        """Make the calls of this block one transaction, and their events' first attempts after it.

        Args:
            watcher: is told of the attempts.
            deliver: whether to make the first attempts at once; else a worker makes them.

        Yields:
            What the block raised; it is complete when the block has ended.

        Raises:
            Conflict: a transaction is open already.
        """
        if deliver:
            self._require_free_thread()
        raised = Raised()
        lease = self._engine.new_lease() if deliver else None
        with self._transactions.begin(lease=lease) as transaction:
            yield raised
        raised.recorded = tuple(transaction.recorded)
        owed = [each.delivery_id for each in raised.recorded if each.delivery_id]
        if lease is not None:
            self._engine.attempt(owed, lease=lease, watcher=watcher)
        raised.deliveries = tuple(self.deliveries.of(owed))

    def trigger(  # noqa: PLR0913 - an event, and what is special about it
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
                made, and has a secret of its own.
            product: whose event it is; the only product, if none is named.
            set: text by path, to change the sample payload (``country.countryCode``).
            payload: a whole payload instead of the sample.
            assume: assumptions for this one request.
            watcher: is told of the attempt.

        Raises:
            Conflict: the product has no webhook URL, or does not want the event (contract d-8).
            InvalidValue: an unknown event, a wrong path, an assumption that is refused.
            NotFound: there is no such product.
        """
        if to is not None:
            self._require_free_thread()
            product = self._product_at(to, product)
        elif product is None:
            product = self._usual_product()
        wanted = Wanted(
            events=[event],
            product=product,
            changes=Changes(set=set or {}, payload=payload),
            assume=assume or {},
        )
        (triggered,) = self.trigger_all(wanted, watcher=watcher)
        if triggered.delivery is None:
            raise Conflict(
                f"{event} was recorded, and nothing is owed for it.",
                hint="Set a webhook URL that wants this event: webhook set.",
            )
        return triggered.delivery

    def trigger_all(
        self, wanted: Wanted, *, deliver: bool = True, watcher: Watcher = NOBODY
    ) -> list[Triggered]:
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
        if deliver:
            self._require_free_thread()
        lease = self._engine.new_lease() if deliver else None
        with self._transactions.acting() as action:
            asked = self._ask(action.session, wanted, now=action.now)
            recorded = record(
                action.session, asked.new_events(), now=action.now, ids=self._ids, lease=lease
            )
            events = [
                Event.of(action.session.get_one(EventRow, each.event_id)) for each in recorded
            ]
        delivery_ids = [each.delivery_id for each in recorded]
        if lease is not None:
            leased = [each for each in delivery_ids if each]
            self._engine.attempt(leased, lease=lease, watcher=watcher)
        deliveries = {each.id: each for each in self.deliveries.of(filter(None, delivery_ids))}
        return [
            Triggered(event=event, delivery=deliveries.get(delivery_id or ""))
            for event, delivery_id in zip(events, delivery_ids, strict=True)
        ]

    def rehearse(self, wanted: Wanted) -> list[Rehearsed]:
        """Return the requests that ``trigger_all`` would make; nothing is stored or sent.

        Raises:
            InvalidValue: an unknown event, a wrong path, an assumption that is refused.
            NotFound: there is no such product or delivery.
        """
        now = self._clock.now()
        with self._transactions.looking() as session:
            asked = self._ask(session, wanted, now=now)
            return list(asked.rehearsed(webhooks.get(session, asked.product), now=now))

    def deliver(self, *, watcher: Watcher = NOBODY) -> list[Attempt]:
        """Make every attempt that is due, once; return the attempts that were made.

        Raises:
            Conflict: a transaction is open: there is no HTTP inside one.
        """
        self._require_free_thread()
        made = [
            (each.delivery_id, each.number) for each in self._engine.deliver_due(watcher=watcher)
        ]
        attempts = {
            (delivery.id, attempt.number): attempt
            for delivery in self.deliveries.of({delivery_id for delivery_id, _ in made})
            for attempt in delivery.attempts
        }
        # What somebody deleted meanwhile, or took because the lease ran out, is not among them.
        return [attempts[each] for each in made if each in attempts]

    def follow(self, deliveries: Sequence[Delivery], *, watcher: Watcher = NOBODY) -> None:
        """Make the attempts of these deliveries when they are due, until all are settled.

        Raises:
            Conflict: a transaction is open.
        """
        self._require_free_thread()
        self._engine.follow(
            [each.id for each in deliveries], is_owed=self._is_owed, watcher=watcher
        )

    def redeliver(
        self, references: Sequence[DeliveryRef], *, watcher: Watcher = NOBODY
    ) -> list[str]:
        """Deliver old events again: the same bytes, to the products' present URLs, at once.

        Returns:
            The ids of the new deliveries.

        Raises:
            Conflict: a product has no URL now, or a transaction is open.
            NotFound: there is no such delivery.
        """
        self._require_free_thread()
        lease = self._engine.new_lease()
        with self._transactions.acting() as action:
            session = action.session
            old = [row_of(session, reference) for reference in references]
            # In the order of their ids, as outbox.record locks them.
            for product_id in sorted({each.product_id for each in old}):
                _require_url(action, product_id)
            events = [_kept(session, each.event_id) for each in old]
            new = [
                redeliver(session, event, now=action.now, ids=self._ids, lease=lease)
                for event in events
            ]
        self._engine.attempt(new, lease=lease, watcher=watcher)
        return new

    def redeliver_all(self, job: Job, *, watcher: Watcher = NOBODY) -> Redelivered:
        """Run a job: deliver many old events again, each once, however often it is started.

        Broken off, it goes on where it ended when a job of the same name is run again.

        Raises:
            Conflict: another process runs the same job, or a transaction is open.
            NotFound: there is no such delivery or product.
            InvalidValue: a reference names several, or the filter is refused.
        """
        self._require_free_thread()
        return self._redelivering(watcher).run(job)

    def new_job_name(self) -> str:
        """Return a name that no job has yet."""
        return self._ids.object_id(self._clock.now())

    def rehearse_redelivery(self, job: Job) -> Iterator[Sequence[Delivery]]:
        """Yield the deliveries whose events ``redeliver_all`` would deliver again, in batches.

        Raises:
            NotFound: there is no such delivery or product.
            InvalidValue: a reference names several, or the filter is refused.
        """
        return map(self.deliveries.of, self._redelivering(NOBODY).planned(job))

    def settle(
        self, *, until: Callable[[], bool] | None = None, timeout_seconds: float = SETTLE_SECONDS
    ) -> None:
        """Wait until receivers in this process have done what they do after their answers.

        Args:
            until: what else must hold, where an app's own tasks (a queue's consumer) never end:
                they move only while somebody waits.
            timeout_seconds: how long to wait.

        Raises:
            Conflict: a transaction is open, or this is inside a receiver.
            WaitTimedOut: it was not done; the message names the line.
        """
        self._require_free_thread()
        self._engine.settle(until=until, timeout_seconds=timeout_seconds)

    def work(
        self,
        *,
        drain: bool = False,
        concurrency: int | None = None,
        per_product: int | None = None,
        watcher: Watcher = NOBODY,
    ) -> signal.Signals | None:
        """Be a worker: deliver what is due until SIGTERM or SIGINT.

        Args:
            drain: return as soon as nothing is due any more.
            concurrency: attempts in flight at once; the settings' by default.
            per_product: attempts of one product in flight at once; the settings' by default.
            watcher: is told of the attempts.

        Returns:
            The signal that stopped it; None where ``drain`` found nothing left.

        Raises:
            Conflict: a transaction is open.
        """
        self._require_free_thread()
        return self._engine.work(
            drain=drain,
            watcher=watcher,
            concurrency=concurrency or self._settings.concurrency,
            per_product=per_product or self._settings.per_product,
        )

    def due(self) -> Due:
        """Say how many deliveries are due, since when, and how many are in flight.

        Raises:
            Conflict: a transaction is open, whose deliveries are not owed yet.
        """
        self._transactions.require_none("Asking what is due")
        return self._engine.queue.due()

    def metrics(self) -> Metrics:
        """Return what this handle has done since it was opened, and what the database owes.

        Counters stay readable while the database is away; what only it knows is None then.

        Raises:
            Conflict: a transaction is open, whose deliveries are not owed yet.
        """
        self._transactions.require_none("Asking for metrics")
        return self._engine.metrics()

    def wait_until_idle(self, *, timeout_seconds: float) -> None:
        """Wait until nothing is due or in flight, whoever makes the attempts.

        Raises:
            Conflict: a transaction is open.
            WaitTimedOut: something still was after that time.
        """
        self.watching.wait_until_idle(self._is_idle, timeout_seconds=timeout_seconds)

    def prune(
        self, *, older_than: timedelta, told: Callable[[Pruned], None] = lambda _: None
    ) -> Pruned:
        """Delete what was settled longer ago, in batches; what is owed stays.

        Args:
            older_than: settled deliveries with their attempts, and events that nothing is owed
                for, go at that age, and their entries in the journal.
            told: is told after each batch how many rows have gone until then.

        Raises:
            Conflict: a transaction is open.
        """
        self._transactions.require_none("Pruning")
        return prune(self._database, before=self._clock.now() - older_than, told=told)

    def stop_receivers(self) -> None:
        """Stop and forget the receivers in this process, and their lifespans; all else stays.

        What they raised since is raised here.

        Raises:
            Conflict: a transaction is open, or this is inside a receiver.
        """
        self._require_free_thread()
        self._engine.forget_receivers()

    def reset(self) -> None:
        """Delete everything, and stop and forget the receivers in this process.

        Ids and time go on. What is in flight elsewhere changes nothing any more.

        Raises:
            Conflict: a transaction is open, or this is inside a receiver.
        """
        self._require_free_thread()
        empty(self._database)
        self._engine.forget_receivers()

    def close(self) -> None:
        """Close connections and the database, and stop receivers; what was in memory is gone."""
        self._close()
        self._engine.raise_app_errors()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self._close()  # what the block raised tells more than what a receiver did

    def __repr__(self) -> str:
        return f"Leanbe({self._database!r})"

    def _close(self) -> None:
        self._engine.close()
        self._database.close()

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
            new_lease=self._engine.new_lease,
            attempt=lambda new, lease: self._engine.attempt(new, lease=lease, watcher=watcher),
        )

    def _is_idle(self) -> bool:
        due = self.due()
        return due.count == due.in_flight == 0

    def _require_free_thread(self) -> None:
        """See to it that attempts can be made here, before anything is leased for them."""
        self._transactions.require_none("Making attempts")
        require_no_loop()

    def _ask(self, session: Session, wanted: Wanted, *, now: datetime) -> Asked:
        return ask(session, wanted, now=now, ids=self._ids, settings=self._settings)

    def _is_owed(self, delivery_id: str) -> bool:
        with self._transactions.looking() as session:
            row = session.get(DeliveryRow, delivery_id)
            return row is not None and row.state.status is DeliveryStatus.PENDING


def _require_url(action: Action, product_id: str) -> None:
    product = products.get(action.session, product_id)
    action.lock(product)
    if webhooks.get(action.session, product).url is None:
        raise Conflict(
            f"The product {product.name!r} has no webhook URL.", hint="Set one first: webhook set."
        )


def _kept(session: Session, event_id: str) -> EventRow:
    """Return an event that is not pruned while the transaction lasts."""
    lock = {"read": True, "key_share": True}
    row = session.get(EventRow, event_id, with_for_update=lock, populate_existing=True)
    if row is None:
        raise NotFound("The event of that delivery was pruned just now.")
    return row


def _prepared(database: Database) -> bool:
    try:
        return prepare(database)
    except LeanbeError:
        database.close()
        raise


def _carrier(
    transport: "Transport | AsyncBaseTransport | None", *, rules: TargetRules, settings: Settings
) -> Transport | None:
    """Return what carries requests; httpx is loaded only for who brings a transport of its."""
    if transport is None or hasattr(transport, "send"):
        return transport
    from leanbe_emitter.delivery.httpx_transport import HttpxTransport  # noqa: PLC0415 - slow

    return HttpxTransport(
        transport,
        rules=rules,
        kept_answer_bytes=settings.kept_answer_bytes,
        kept_header_bytes=settings.kept_header_bytes,
    )
