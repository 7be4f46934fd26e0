"""``Leanbe``: the composition root, and the library's face.

Everything that the package can do is a method here or on one of its attributes; the command line
only parses, calls and prints. Methods that make attempts run them on the caller's thread, one after
the other, so that the same calls give the same bytes in the same order.
"""

import random
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from leanbe_emitter.clock import Clock, SystemClock
from leanbe_emitter.delivery.queue import Due
from leanbe_emitter.delivery.transport import Transport
from leanbe_emitter.delivery.watcher import Nobody, Watcher
from leanbe_emitter.domain import users, webhooks
from leanbe_emitter.domain.action import Action
from leanbe_emitter.emitter.deliveries import Deliveries, DeliveryRef
from leanbe_emitter.emitter.engine import Engine
from leanbe_emitter.emitter.products import Assumptions, ProductRef, Products, Webhooks, named
from leanbe_emitter.emitter.snapshots import Attempt, Delivery, Event, Headers, User
from leanbe_emitter.emitter.synthetic import Author, Changes, Sample, Synthetic, Wanted, document_of
from leanbe_emitter.emitter.transactions import Transactions
from leanbe_emitter.emitter.users import Users
from leanbe_emitter.emitter.watching import Watching
from leanbe_emitter.errors import Conflict
from leanbe_emitter.ids import Ids
from leanbe_emitter.outbox import NewEvent, Recorded, record, redeliver
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.database import Database
from leanbe_emitter.storage.migrate import prepare
from leanbe_emitter.storage.states import DeliveryStatus
from leanbe_emitter.storage.tables import DeliveryRow, EventRow, ProductRow
from leanbe_emitter.targets import TargetRules
from leanbe_emitter.wire.assumptions import check, read
from leanbe_emitter.wire.envelope import seal
from leanbe_emitter.wire.reading import Reading
from leanbe_emitter.wire.stringify import JSON

NOBODY = Nobody()


@dataclass(frozen=True, kw_only=True)
class Triggered:
    """An event that was triggered, and its delivery: None where nothing is owed."""

    event: Event
    delivery: Delivery | None


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """A request that would be made, had it not been a rehearsal."""

    event: str
    method: str
    url: str | None
    headers: Headers
    body: bytes


class Leanbe:
    """Leanbe's sending side.

    Args:
        db: ``:memory:``, or any SQLAlchemy URL of SQLite or PostgreSQL. SQLite is created and
            migrated; PostgreSQL must be ready.
        assume: assumptions of the products that are made here (contract d).
        seed: gives the same ids and secrets in every run.
        clock: tells the time; the machine's by default.
        ids: the source of ids and secrets, instead of ``seed``.
        transport: carries requests instead of the network sender.
        settings: limits, leases and allowed targets.

    Attributes:
        products, webhooks, assumptions, users, deliveries: what there is to act on.
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
        transport: Transport | None = None,
        settings: Settings | None = None,
    ) -> None:
        self._settings = settings or Settings()
        self._clock = clock or SystemClock()
        self._ids = ids or Ids(None if seed is None else random.Random(seed))  # noqa: S311
        rules = TargetRules(allow=self._settings.allow_targets)
        assumed = {**self._settings.assume, **(assume or {})}
        assumed = {name: check(name, value) for name, value in assumed.items()}
        self._database = Database(db)
        self.created = prepare(self._database)
        self._transactions = Transactions(
            self._database, clock=self._clock, ids=self._ids, rules=rules, assume=assumed
        )
        self._engine = Engine(
            self._database,
            clock=self._clock,
            ids=self._ids,
            settings=self._settings,
            rules=rules,
            transport=transport,
        )
        self.products = Products(self._transactions)
        self.webhooks = Webhooks(self._transactions)
        self.assumptions = Assumptions(self._transactions)
        self.users = Users(self._transactions)
        self.deliveries = Deliveries(self._transactions, redeliver=self.redeliver)
        self.watching = Watching(self._transactions, self.deliveries)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the calls of this block one transaction: all or nothing, with their events.

        Raises:
            Conflict: one is open already; they do not nest.
        """
        with self._transactions.begin():
            yield

    def trigger(  # noqa: PLR0913 - an event, and what is special about it
        self,
        event: str,
        *,
        product: ProductRef | None = None,
        set: Mapping[str, str] | None = None,  # noqa: A002 - the word of every surface
        payload: JSON | Sample = Sample.OF_THE_CATALOGUE,
        assume: Mapping[str, str] | None = None,
        watcher: Watcher = NOBODY,
    ) -> Delivery:
        """Raise one synthetic event and make the first attempt of its delivery at once.

        Args:
            event: one of the 22 names.
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
        self._check_may_deliver(deliver=deliver)
        with self._transactions.acting() as action:
            asked = self._asked(action, wanted)
            recorded = record(
                action.session,
                [_new_event(asked, each) for each in asked.synthetics],
                now=action.now,
                ids=self._ids,
                lease=self._engine.new_lease() if deliver else None,
            )
        if deliver:
            self._engine.attempt(_delivery_ids(recorded), watcher=watcher)
        return self._triggered(recorded)

    def rehearse(self, wanted: Wanted) -> list[Rehearsed]:
        """Return the requests that ``trigger_all`` would make; nothing is stored or sent.

        Raises:
            InvalidValue: an unknown event, a wrong path, an assumption that is refused.
            NotFound: there is no such product or delivery.
        """
        with self._transactions.acting() as action:
            asked = self._asked(action, wanted)
            return [_rehearsed(action, asked, each) for each in asked.synthetics]

    def deliver(self, *, watcher: Watcher = NOBODY) -> list[Attempt]:
        """Make every attempt that is due, once; return the attempts that were made.

        Raises:
            Conflict: a transaction is open: there is no HTTP inside one.
        """
        self._check_may_deliver(deliver=True)
        settlements = self._engine.deliver_due(watcher=watcher)
        deliveries = self.deliveries.of([each.delivery_id for each in settlements])
        return [
            delivery.attempts[settlement.number - 1]
            for delivery, settlement in zip(deliveries, settlements, strict=True)
        ]

    def follow(self, deliveries: Sequence[Delivery], *, watcher: Watcher = NOBODY) -> None:
        """Make the attempts of these deliveries when they are due, until all are settled."""
        self._check_may_deliver(deliver=True)
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
        self._check_may_deliver(deliver=True)
        old = [self.deliveries.get(reference) for reference in references]
        lease = self._engine.new_lease()
        with self._transactions.acting() as action:
            new = [
                redeliver(
                    action.session,
                    _deliverable(action, delivery.event),
                    now=action.now,
                    ids=self._ids,
                    lease=lease,
                )
                for delivery in old
            ]
        self._engine.attempt(new, watcher=watcher)
        return new

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
        """
        return self._engine.work(
            drain=drain,
            watcher=watcher,
            concurrency=concurrency or self._settings.concurrency,
            per_product=per_product or self._settings.per_product,
        )

    def due(self) -> Due:
        """Say how many deliveries are due, since when, and how many are in flight."""
        return self._engine.queue.due()

    def close(self) -> None:
        """Close connections and the database; what was in memory is gone."""
        self._engine.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Leanbe({self._database!r})"

    def _asked(self, action: Action, wanted: Wanted) -> "_Asked":
        row = named(action.session, wanted.product)
        overrides = {name: check(name, value) for name, value in wanted.assume.items()}
        reading = read({**row.assumptions, **overrides})
        author = Author(
            product={"_id": row.id, "name": row.name},
            owner=User.of(users.owner(action.session, row)).document(),
            reading=reading,
            ids=self._ids,
            now=action.now,
            max_depth=self._settings.max_depth,
            max_payload_bytes=self._settings.max_payload_bytes,
        )
        earlier = self._earlier(wanted.same_as)
        synthetics = [
            synthetic
            for _ in range(wanted.times)
            for synthetic in author.write(wanted.events, wanted.changes, same_as=earlier)
        ]
        return _Asked(product=row, overrides=overrides, reading=reading, synthetics=synthetics)

    def _earlier(self, same_as: DeliveryRef | None) -> tuple[str, dict[str, JSON]] | None:
        if same_as is None:
            return None
        event = self.deliveries.get(same_as).event
        return event.name, document_of(event.payload_text)

    def _triggered(self, recorded: Sequence[Recorded]) -> list[Triggered]:
        deliveries = {each.id: each for each in self.deliveries.of(_delivery_ids(recorded))}
        with self._transactions.looking() as session:
            return [
                Triggered(
                    event=Event.of(session.get_one(EventRow, each.event_id)),
                    delivery=deliveries.get(each.delivery_id or ""),
                )
                for each in recorded
            ]

    def _is_owed(self, delivery_id: str) -> bool:
        with self._transactions.looking() as session:
            row = session.get(DeliveryRow, delivery_id)
            return row is not None and row.state.status is DeliveryStatus.PENDING

    def _check_may_deliver(self, *, deliver: bool) -> None:
        if deliver and self._transactions.is_open:
            raise Conflict(
                "Attempts cannot be made inside a transaction.",
                hint="Leave the transaction first, then call deliver().",
            )


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """Synthetic events, written and ready to be recorded."""

    product: ProductRow
    overrides: Mapping[str, str]
    reading: Reading
    synthetics: Sequence[Synthetic]


def _new_event(asked: _Asked, synthetic: Synthetic) -> NewEvent:
    return NewEvent(
        product_id=asked.product.id,
        name=synthetic.name,
        payload_text=synthetic.payload_text,
        document_updated_at=synthetic.document_updated_at,
        overrides=asked.overrides,
    )


def _rehearsed(action: Action, asked: _Asked, synthetic: Synthetic) -> Rehearsed:
    webhook = webhooks.get(action.session, asked.product)
    sealed = seal(
        synthetic.payload_text,
        event=synthetic.name,
        triggered_at=action.now,
        secret=webhook.secret,
        reading=asked.reading,
    )
    own = [(name, value) for name, value in webhook.headers]
    return Rehearsed(
        event=synthetic.name,
        method=asked.reading.method,
        url=webhook.url,
        headers=(*sealed.headers, *own),
        body=sealed.body.encode(),
    )


def _deliverable(action: Action, event: Event) -> EventRow:
    row = action.session.get_one(EventRow, event.id)
    product = action.session.get_one(ProductRow, event.product_id)
    if webhooks.get(action.session, product).url is None:
        raise Conflict(
            f"The product {product.name!r} has no webhook URL.", hint="Set one first: webhook set."
        )
    return row


def _delivery_ids(recorded: Sequence[Recorded]) -> list[str]:
    return [each.delivery_id for each in recorded if each.delivery_id is not None]
