"""What a handle says of itself, and of how things stand in its database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import leanbe_emitter
from leanbe_emitter.delivery.queue.due import Due
from leanbe_emitter.delivery.worker.metrics import Metrics
from leanbe_emitter.library.deliveries.deliveries import Deliveries
from leanbe_emitter.library.deliveries.filter import Filter
from leanbe_emitter.library.handle.clock import AdvancingClock
from leanbe_emitter.library.handle.counts import Counts, count
from leanbe_emitter.library.runtime.awaitables import waits
from leanbe_emitter.library.runtime.engine import Engine
from leanbe_emitter.library.runtime.polling import wait_until
from leanbe_emitter.library.runtime.results import NOTHING, Nothing
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.engine.urls import shown
from leanbe_emitter.storage.schema.migrate import (
    Schema,
    SchemaState,
    not_ready,
    schema_of,
    write_revision_again,
)
from leanbe_emitter.wire.instants import print_instant


@dataclass(frozen=True, kw_only=True)
class Info:
    """Version, database, time, how much there is, and what new products assume.

    Attributes:
        version: of this program.
        db: the database's URL, without a password.
        clock_kind: ``manual`` or ``system``.
        now: what time it is by that clock.
        counts: how much there is of everything.
        assumptions: those that new products of this handle begin with.
    """

    version: str
    db: str
    clock_kind: str
    now: datetime
    counts: Counts
    assumptions: Mapping[str, str] = field(hash=False)

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "version": self.version,
            "db": self.db,
            "clock": {"kind": self.clock_kind, "now": print_instant(self.now)},
            "counts": {
                "products": self.counts.products,
                "events": self.counts.events,
                "deliveries": {each.value: n for each, n in self.counts.deliveries.items()},
            },
            "assumptions": dict(self.assumptions),
        }


class Informing:
    """The part of ``Leanbe`` that says how things stand."""

    clock: AdvancingClock
    deliveries: Deliveries
    _assumed: Mapping[str, str]
    _database: Database
    _engine: Engine
    _transactions: Transactions

    def due(self) -> Due:
        """Say how many deliveries are due, since when, and how many are in flight.

        Raises:
            Conflict: a transaction is open, whose deliveries are not owed yet.
        """
        self._transactions.require_none("Asking what is due")
        return self._engine.queue.due()

    def is_idle(self) -> bool:
        """Say whether nothing is due or in flight, as ``due`` does."""
        due = self.due()
        return due.count == due.in_flight == 0

    def counts(self) -> Counts:
        """Say how much there is of everything."""
        with self._transactions.looking() as session:
            return count(session)

    def info(self) -> Info:
        """Say what this is: version, database, time, how much there is, what new products assume.

        Raises:
            DatabaseUnavailable: it cannot be reached.
        """
        return Info(
            version=leanbe_emitter.__version__,
            db=self.db,
            clock_kind=self.clock.kind,
            now=self.clock.now(),
            counts=self.counts(),
            assumptions=self._assumed,
        )

    def schema(self) -> Schema:
        """Say how the database's tables stand to this program.

        Raises:
            DatabaseUnavailable: it cannot be reached.
        """
        return schema_of(self._database)

    def require_ready(self) -> None:
        """See that the database has this program's tables, can be written, and answers workers.

        Raises:
            Conflict: a transaction is open.
            DatabaseBehind: its tables are others.
            DatabaseUnavailable: it cannot be reached, its file is gone, its disk is full, somebody
                held it for as long as an action would have waited, or it did not take what a worker
                wrote last.
        """
        self._transactions.require_none("Asking whether all is ready")
        schema = self.schema()
        if schema.state is not SchemaState.CURRENT:
            raise not_ready(schema)
        write_revision_again(self._database)
        self._engine.require_reached()

    @property
    def in_flight(self) -> int:
        """How many attempts workers of this handle are making right now."""
        return self._engine.in_flight()

    @property
    def writes_alone(self) -> bool:
        """Whether one transaction at a time writes to the database: it is one of SQLite."""
        return self._database.dialect == "sqlite"

    @property
    def db(self) -> str:
        """The database's URL as it may be seen: without a password."""
        return shown(self._database.url)

    def metrics(self) -> Metrics:
        """Return what this handle has done since it was opened, and what the database owes.

        Counters stay readable while the database is away; what only it knows is None then.

        Raises:
            Conflict: a transaction is open, whose deliveries are not owed yet.
        """
        self._transactions.require_none("Asking for metrics")
        return self._engine.metrics()

    @waits("leanbe.wait_until_idle()")
    async def wait_until_idle(self, *, timeout_seconds: float) -> Nothing:
        """Wait until nothing is due or in flight, whoever makes the attempts.

        Raises:
            Conflict: a transaction is open: it would not see what others do.
            WaitTimedOut: something still was after that time.
        """
        self._transactions.require_none("Waiting")
        await wait_until(
            self.is_idle,
            timeout_seconds=timeout_seconds,
            came=lambda: "deliveries are still due or in flight",
            why=lambda: self.deliveries.pending_reason(Filter()).words,
        )
        return NOTHING
