"""``Leanbe``: the composition root, and the library's face.

Everything that the package can do is a method here or on one of its attributes; the command line
only parses, calls and prints. Here is what it is made of, and what concerns all of it; what makes
attempts is in ``attempting``, what says how things stand in ``information``, what asserts in
``asserting``.
"""

import asyncio
import random
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from sqlalchemy.orm import Session

from leanbe_emitter.clock import Clock
from leanbe_emitter.delivery.in_process.registry import ReceiverRegistry
from leanbe_emitter.delivery.worker.watcher import NOBODY, Watcher
from leanbe_emitter.domain.action import Limits
from leanbe_emitter.errors import NotAwaited
from leanbe_emitter.ids import Ids
from leanbe_emitter.library.deliveries.deliveries import Deliveries
from leanbe_emitter.library.deliveries.events import Events
from leanbe_emitter.library.deliveries.watching import Watching
from leanbe_emitter.library.documents.users import Users
from leanbe_emitter.library.handle.asserting import Asserting
from leanbe_emitter.library.handle.attempting import Attempting
from leanbe_emitter.library.handle.clock import AdvancingClock, Shared
from leanbe_emitter.library.runtime.awaitables import drive, require_async_with, waits
from leanbe_emitter.library.runtime.carrier import carrier, kept
from leanbe_emitter.library.runtime.engine import Engine
from leanbe_emitter.library.runtime.group_commit import outcomes
from leanbe_emitter.library.runtime.loops import require_no_loop
from leanbe_emitter.library.runtime.opening import prepared
from leanbe_emitter.library.runtime.results import NOTHING, Nothing
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.library.setup.assumptions import Assumptions
from leanbe_emitter.library.setup.faults import Faults
from leanbe_emitter.library.setup.products import Products
from leanbe_emitter.library.setup.seeds import Seeds
from leanbe_emitter.library.setup.webhooks import Webhooks
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.queries.clock import StoredClock
from leanbe_emitter.storage.queries.reset import empty
from leanbe_emitter.storage.queries.retention import Pruned, prune
from leanbe_emitter.wire.assumptions.parsing import check_assumption

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport

    from leanbe_emitter.delivery.network.transport import Transport


class Leanbe(Attempting, Asserting):
    """Leanbe's sending side.

    Methods that wait (``deliver``, ``trigger``, ``settle`` ...) return when they are done. Where an
    event loop runs, they are to be awaited, and run in that loop: ``await leanbe.deliver()``. The
    handle itself is opened by ``async with`` there.

    Args:
        db: ``:memory:``, or any SQLAlchemy URL of SQLite or PostgreSQL. SQLite is created and
            migrated; PostgreSQL must be ready.
        assume: assumptions of the products that are made here (contract d).
        seed: gives the same ids and secrets in every run.
        clock: tells the time of this handle; ``manual`` or ``system``: of the database, for every
            process that opens it from then on, and for those that have it open once their worker
            rests, a retry falls due to them, or their clock is moved or asked for its ``kind``. By
            default it is the database's, which is the machine's unless somebody said otherwise.
        ids: the source of ids and secrets, instead of ``seed``.
        transport: carries requests instead of the network sender: a ``Transport`` of ours, or an
            ``httpx.AsyncBaseTransport``. It is the handle's from then on, which closes it, and
            leaves nothing of it open at the end of ``work``, as that has a loop of its own.
        settings: limits, leases and allowed targets.
        app_errors: whether what a receiver in this process raised is also raised here, after its
            attempt was recorded as a 500.

    Attributes:
        products, webhooks, assumptions, users, deliveries: what there is to act on.
        events: what has happened.
        faults: deliberate misbehaviours, counted.
        seeds: what the database begins with, now and after each reset.
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
        self.created, self._clock = prepared(self._database, clock)
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
        self._receivers = ReceiverRegistry(kept=kept(self._settings))
        self._engine = Engine(
            self._database,
            clock=self._clock,
            ids=self._ids,
            settings=self._settings,
            rules=rules,
            transport=carrier(transport, rules=rules, settings=self._settings),
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
        self.deliveries = Deliveries(self._transactions, redeliver=self.redeliver)
        self.events = Events(self._transactions)
        self.faults = Faults(self._transactions, receivers=self._receivers)
        self.watching = Watching(self._transactions, self.deliveries)
        self.clock = AdvancingClock(
            self._clock,
            self._transactions,
            deliver=self.deliver,
            shared=Shared(watching=self.watching, queue=self._engine.queue),
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the calls of this block one transaction: all or nothing, with their events.

        Raises:
            Conflict: one is open already; they do not nest.
        """
        with self._transactions.begin():
            yield

    def together(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Make calls in one transaction, each of them done or refused by itself.

        Returns:
            For each call what it returned, or the error that it raised.
        """
        return outcomes(self._transactions, calls)

    def new_job_name(self) -> str:
        """Return a name that no job has yet."""
        return self._ids.object_id(self._clock.now())

    def work(
        self,
        *,
        drain: bool = False,
        concurrency: int | None = None,
        per_product: int | None = None,
        watcher: Watcher = NOBODY,
    ) -> signal.Signals | None:
        """Be a worker: deliver what is due until SIGTERM, SIGINT or SIGHUP.

        Args:
            drain: return as soon as nothing is due any more.
            concurrency: attempts in flight at once; the settings' by default.
            per_product: attempts of one product in flight at once; the settings' by default.
            watcher: is told of the attempts.

        Returns:
            The signal that stopped it; None where ``drain`` found nothing left.

        Raises:
            Conflict: a transaction is open, or an event loop runs here: a worker has its own.
        """
        self._require_free()
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
        """Have a worker in the running event loop for as long as an ``async with`` block lasts.

        It reaches the database in a thread of its own. At the end of the block it claims no more,
        and finishes what it began. The arguments are those of ``work``.

        Yields:
            The worker's task, which is done before the end only where it failed.
        """
        return self._engine.working(
            watcher=watcher,
            concurrency=concurrency or self._settings.concurrency,
            per_product=per_product or self._settings.per_product,
        )

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
        return prune(self._database, before=self._clock.now() - older_than, on_batch=told)

    @waits("leanbe.reset()")
    async def reset(self, *, ids: Literal["go on", "restart"] = "go on") -> Nothing:
        """Delete everything, faults too, and stop and forget the receivers in this process.

        What is in flight is broken off here, and changes nothing any more elsewhere. What the
        database's seed file says is there again: nobody sees it without.

        Args:
            ids: ``restart`` for the same ids and secrets again, as after the last ``restart``, and
                for the time at which the database's manual clock was last set.

        Raises:
            Conflict: a transaction is open, or this is inside a receiver.
        """
        self._require_free()
        with self._database.transaction() as session:
            empty(session)
            now = self._begin_again(session) if ids == "restart" else None
            self.seeds.replant(session, now=now)
        self._engine.abandon()
        await self._engine.leave_loop()
        return NOTHING

    def _begin_again(self, session: Session) -> datetime | None:
        """Let ids and a stored clock begin again; return the clock's instant, if it is one."""
        self._ids.restart()
        return self._clock.begin_again(session) if isinstance(self._clock, StoredClock) else None

    @waits("leanbe.close()")
    async def close(self) -> Nothing:
        """Close connections and the database, and stop receivers; what was in memory is gone.

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
        with suppress(NotAwaited):  # what the block raised tells more, also than a receiver's error
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
