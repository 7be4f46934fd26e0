"""The handle of a database: its parts, how it opens and closes, and what it says of the database.

This is the composition root of the library. ``Leanbe`` adds triggering, waiting and assertions.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from sqlalchemy.orm import Session

import leanbe_emitter
from leanbe_emitter.clock import Clock
from leanbe_emitter.delivery.in_process.registry import ReceiverRegistry
from leanbe_emitter.delivery.network.transport import AnswerLimits
from leanbe_emitter.delivery.queue.due_queries import Due
from leanbe_emitter.delivery.watching import Attempt, Watcher
from leanbe_emitter.delivery.worker.metrics import Metrics
from leanbe_emitter.domain import lookup
from leanbe_emitter.errors import InvalidValue, NotAwaited, check_type
from leanbe_emitter.ids import Ids
from leanbe_emitter.library.deliveries.deliveries import Deliveries
from leanbe_emitter.library.deliveries.events import Events
from leanbe_emitter.library.deliveries.journal import Journal
from leanbe_emitter.library.documents.users import Users
from leanbe_emitter.library.handle.assertions import Assertions
from leanbe_emitter.library.handle.clock import AdvancingClock
from leanbe_emitter.library.handle.information import Counts, Info, count
from leanbe_emitter.library.runtime.awaitables import (
    NOTHING,
    Nothing,
    Results,
    drive,
    require_async_with,
    waits,
)
from leanbe_emitter.library.runtime.delivery_engine import Engine
from leanbe_emitter.library.runtime.opening import open_database
from leanbe_emitter.library.runtime.routing_transport import as_transport
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.library.setup.faults import Faults
from leanbe_emitter.library.setup.product import ProductRef
from leanbe_emitter.library.setup.products import Assumptions, Products
from leanbe_emitter.library.setup.seeds import Seeds
from leanbe_emitter.library.setup.webhooks import Webhooks
from leanbe_emitter.library.trigger.triggers import Triggers
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.engine.database import Database, again_after_deadlock
from leanbe_emitter.storage.engine.database_urls import shown
from leanbe_emitter.storage.queries.fingerprints import Fingerprint, Subject, fingerprints
from leanbe_emitter.storage.queries.reset import empty, row_counts
from leanbe_emitter.storage.queries.retention import Pruned, count_old, prune
from leanbe_emitter.storage.queries.stored_clock import StoredClock
from leanbe_emitter.storage.schema.migrate import (
    Schema,
    SchemaState,
    not_ready,
    schema_of,
    write_revision_again,
)
from leanbe_emitter.wire.assumptions.parsing import check_assumption

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport

    from leanbe_emitter.delivery.network.transport import Transport


class DatabaseHandle:
    """The parts of a handle, and the operations on its database as a whole. See ``Leanbe``."""

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
        raises_app_errors = _raises(app_errors)
        self._settings = settings or Settings()
        source = None if seed is None else random.Random(seed)  # noqa: S311 - seeded on purpose
        self._ids = ids or Ids(source)
        assumed = {**self._settings.assume, **(assume or {})}
        self._assumed = {name: check_assumption(name, value) for name, value in assumed.items()}
        self._database = Database(db, synchronous=self._settings.sqlite_synchronous)
        self.created, self._clock = open_database(self._database, clock)
        self._transactions = Transactions(
            self._database,
            clock=self._clock,
            ids=self._ids,
            settings=self._settings,
            assume=self._assumed,
        )
        self._receivers = ReceiverRegistry(limits=AnswerLimits.of(self._settings))
        self._engine = Engine(
            self._transactions,
            settings=self._settings,
            transport=as_transport(transport, settings=self._settings),
            receivers=self._receivers,
            raises_app_errors=raises_app_errors,
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
        self.deliveries = Deliveries(self._transactions, self._engine)
        self.events = Events(self._transactions)
        self.faults = Faults(self._transactions, receivers=self._receivers)
        self.journal = Journal(self._transactions, self.deliveries)
        self._triggers = Triggers(
            self._transactions, self._engine, self.deliveries, settings=self._settings
        )
        self._assertions = Assertions(
            self._transactions,
            self.deliveries,
            self.journal,
            is_anything_due=lambda: self.due().count > 0,
        )
        self.clock = AdvancingClock(
            self._transactions, deliver=self.deliver, journal=self.journal, queue=self._engine.queue
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the calls of this block one transaction: all of them and their events, or none.

        Raises:
            Conflict: a transaction is open already; transactions do not nest.
        """
        with self._transactions.begin():
            yield

    def group_commit(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Make calls in one transaction. Each call is done or refused by itself.

        Returns:
            For each call its result, or the error that it raised.
        """
        return self._transactions.group_commit(calls)

    @waits("leanbe.deliver()")
    async def deliver(self, *, watcher: Watcher | None = None) -> Results[Attempt]:
        """Make every attempt that is due, once.

        Events that receivers record meanwhile are delivered, too.

        Returns:
            The attempts that were made.

        Raises:
            Conflict: a transaction is open: no requests are made inside one.
            EndlessDeliveries: receivers recorded event after event.
        """
        self._engine.require_possible()
        return Results(await self._engine.deliver_due(watcher=watcher))

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

    def fingerprints(self) -> Mapping[Subject, Fingerprint]:
        """Return fingerprints of all settings: one that differs tells of a change in between.

        A fingerprint may hold a secret: compare it, and never show it.
        """
        with self._transactions.looking() as session:
            return fingerprints(session)

    def row_counts(self, *, product: ProductRef | None = None) -> dict[str, int]:
        """Return how many rows ``reset`` would delete by noun, or the deletion of a product.

        A pending delivery also counts as a delivery.

        Raises:
            NotFound: there is no such product.
        """
        with self._transactions.looking() as session:
            product_id = None if product is None else lookup.product(session, product).id
            return row_counts(session, product_id)

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
            seed_file=self.seeds.name(),
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

    def is_in_process(self, url: str) -> bool:
        """Return whether a receiver in this process is at a URL."""
        return self._receivers.at(url) is not None

    def new_job_name(self) -> str:
        """Return a name that no job has yet."""
        return self._ids.object_id(self._clock.now())

    def prune(
        self, *, older_than: timedelta, on_batch: Callable[[Pruned], None] = lambda _: None
    ) -> Pruned:
        """Delete old settled deliveries in batches; pending deliveries stay.

        Args:
            older_than: the age at which settled deliveries with their attempts, events without a
                pending delivery, and their journal entries are deleted.
            on_batch: is called after each batch with the numbers of rows deleted until then.

        Raises:
            Conflict: a transaction is open.
        """
        self._transactions.require_none("Pruning")
        check_type(older_than, timedelta, what="older_than", words="a timedelta")
        return prune(self._database, before=self._clock.now() - older_than, on_batch=on_batch)

    def prune_dry_run(self, *, older_than: timedelta) -> Pruned:
        """Return how many rows ``prune`` would delete now; journal entries are not counted.

        Args:
            older_than: as for ``prune``.
        """
        with self._transactions.looking() as session:
            return count_old(session, before=self._clock.now() - older_than)

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
        self._engine.require_possible()
        self._empty(restart_ids=ids == "restart")
        self._engine.abandon()
        await self._engine.leave_loop()
        return NOTHING

    @again_after_deadlock
    def _empty(self, *, restart_ids: bool) -> None:
        with self._database.transaction() as session:
            empty(session)
            now = self._begin_again(session) if restart_ids else None
            self.seeds.replant(session, now=now)

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


def _raises(app_errors: str) -> bool:
    """Return whether a receiver's exception is raised; refuse a third word."""
    if app_errors not in {"raise", "record"}:
        raise InvalidValue(f"app_errors is {app_errors!r}.", hint="Use 'raise' or 'record'.")
    return app_errors == "raise"
