"""Transactions of the library: each call is one of its own, or part of the caller's.

A transaction is bound to the thread that began it; a call that finds one open there joins it, and
what it changed is committed, or rolled back, with all the rest. A call that is refused inside one
leaves no trace in it, so that the caller can go on. Nothing is begun while a call of this handle is
not awaited: it has not been done.

The events of actions are recorded before anybody looks at what is recorded, and at the latest with
the commit: those of many actions on documents cost little more than those of one.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import ObjectDeletedError

from leanbe_emitter.clock import Clock
from leanbe_emitter.domain.action import Action, Limits, forget_locks
from leanbe_emitter.domain.lookup import deleted_meanwhile
from leanbe_emitter.errors import Conflict
from leanbe_emitter.ids import Ids
from leanbe_emitter.library.runtime.unawaited import Unawaited
from leanbe_emitter.outbox import Lease, NewEvent, Recorded, record
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.engine.sqlite_locking import has_unflushed_changes, rows_written
from leanbe_emitter.targets import TargetRules

#: So many events may wait for being recorded: they are in memory.
_MOST_UNRECORDED = 500


@dataclass(kw_only=True)
class Transaction:
    """An open transaction of one thread.

    Attributes:
        lease: given where the first attempts are made right after it.
        undoes: whether what a refused call has written is undone by itself.
        is_spoiled: whether something of a refused call remains in it.
        happened: the events of its actions that are not recorded yet, in their order.
        recorded: those that are.
    """

    session: Session
    lease: Lease | None = None
    undoes: bool = True
    is_spoiled: bool = False
    happened: list[NewEvent] = field(default_factory=list)
    recorded: list[Recorded] = field(default_factory=list)


class Spoiled(Exception):
    """Something of a refused call remained in a transaction that does not undo it."""


class Transactions:
    """Where actions and look-ups get their session from.

    Attributes:
        unawaited: the calls that are to be awaited first.
    """

    def __init__(  # noqa: PLR0913 - what actions are given, each from outside
        self,
        database: Database,
        *,
        clock: Clock,
        ids: Ids,
        rules: TargetRules,
        assume: Mapping[str, str],
        limits: Limits,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._rules = rules
        self._assume = dict(assume)
        self._limits = limits
        self._open = threading.local()
        self.unawaited = Unawaited()

    @contextmanager
    def begin(self, *, lease: Lease | None = None, undoes: bool = True) -> Iterator[Transaction]:
        """Begin the transaction that all calls of this thread join until the block ends.

        Args:
            lease: given by a caller who makes the first attempts right after it.
            undoes: whether a call that is refused leaves no trace in it. Without it calls cost
                less, and where one may have written something nothing is done.

        Raises:
            Conflict: there is one already; they do not nest.
            NotAwaited: a call was not awaited.
            Spoiled: something of a refused call remained, so that all of it was rolled back.
        """
        self.unawaited.require_none()
        if self.is_open:
            raise Conflict(
                "A transaction is open already.", hint="Go on in it: transactions do not nest."
            )
        with self._database.transaction() as session:
            self._open.transaction = current = Transaction(
                session=session, lease=lease, undoes=undoes
            )
            try:
                yield current
                if current.is_spoiled:
                    raise Spoiled
                self._record(current)
            finally:
                self._open.transaction = None

    @property
    def is_open(self) -> bool:
        """Whether this thread has begun one."""
        return self._current is not None

    def require_none(self, doing: str) -> None:
        """See to it that no transaction is open on this thread.

        Args:
            doing: what cannot be done inside one, as the beginning of a sentence.

        Raises:
            Conflict: one is.
            NotAwaited: a call was not awaited.
        """
        self.unawaited.require_none()
        if self.is_open:
            raise Conflict(
                f"{doing} inside a transaction is not possible.",
                hint="Leave the transaction first.",
            )

    @contextmanager
    def acting(self, *, on_documents: bool = False) -> Iterator[Action]:
        """Begin an action, in the open transaction or in one of its own.

        Args:
            on_documents: whether it is of documents alone, and looks at nothing that is recorded.

        Raises:
            NotAwaited: a call was not awaited.
        """
        self.unawaited.require_none()
        current = self._current
        if current is None:
            with self._database.transaction() as session:
                current = Transaction(session=session)
                with self._action(current) as action:
                    yield action
                self._record(current)
            return
        if not on_documents or len(current.happened) >= _MOST_UNRECORDED:
            self._record(current)
        with _part(current), self._action(current) as action:
            yield action

    @contextmanager
    def looking(self) -> Iterator[Session]:
        """Look things up, in the open transaction or in one that only reads.

        Raises:
            NotAwaited: a call was not awaited.
        """
        self.unawaited.require_none()
        current = self._current
        if current is not None:
            self._record(current)
            yield current.session
            return
        with self._database.reading() as session:
            yield session

    def now(self) -> datetime:
        """Return the present instant."""
        return self._clock.now()

    @property
    def clock(self) -> Clock:
        """What tells it."""
        return self._clock

    @property
    def _current(self) -> Transaction | None:
        transaction: Transaction | None = getattr(self._open, "transaction", None)
        return transaction

    def action(
        self, session: Session, *, clock: Clock | None = None, given_ids: Sequence[str | None] = ()
    ) -> Action:
        """Return an action in a transaction; whether its events are recorded is the caller's.

        The arguments are those of ``Action``; the clock is the handle's, unless one is given.
        """
        return Action(
            session=session,
            clock=clock or self._clock,
            ids=self._ids,
            rules=self._rules,
            assume=self._assume,
            limits=self._limits,
            given_ids=given_ids,
        )

    @contextmanager
    def _action(self, transaction: Transaction) -> Iterator[Action]:
        action = self.action(transaction.session)
        try:
            yield action
        except ObjectDeletedError as error:
            raise deleted_meanwhile("object") from error
        transaction.happened += action.events

    def _record(self, transaction: Transaction) -> None:
        happened, transaction.happened = transaction.happened, []
        if not happened:
            return
        transaction.recorded += record(
            transaction.session,
            happened,
            now=happened[0].at or self.now(),
            ids=self._ids,
            lease=transaction.lease,
        )


@contextmanager
def _part(transaction: Transaction) -> Iterator[None]:
    """See that what a refused call has done goes back to here, or that it is known to remain."""
    session = transaction.session
    if transaction.undoes:
        try:
            with session.begin_nested():
                yield
        except BaseException:
            forget_locks(session)
            raise
        return
    before = rows_written(session)
    try:
        yield
    except BaseException:
        has_written = (
            before is None or rows_written(session) != before or has_unflushed_changes(session)
        )
        transaction.is_spoiled |= has_written
        raise
