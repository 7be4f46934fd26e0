"""Transactions of the library: a call has a transaction of its own, or joins the caller's.

A transaction belongs to the thread that began it. A call joins the open transaction of its thread,
and its changes are committed or rolled back with the rest. A refused call leaves no changes in the
transaction, so that the caller can continue. While a call of the handle is not awaited, no other
call begins, because the first one has not run yet.

The events of actions are recorded before the next read of recorded rows, and at the latest with the
commit. So the events of many actions on documents cost little more than those of one.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import ObjectDeletedError

from leanbe_emitter.clock import Clock
from leanbe_emitter.domain.action import Action, Limits, forget_locks
from leanbe_emitter.domain.lookup import deleted_meanwhile
from leanbe_emitter.errors import Conflict, LeanbeError
from leanbe_emitter.ids import Ids
from leanbe_emitter.library.runtime.awaitables import Unawaited
from leanbe_emitter.outbox import Lease, NewEvent, Recorded, record
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.engine.database import Database, again_after_deadlock
from leanbe_emitter.storage.engine.sqlite import rows_written

P = ParamSpec("P")
R = TypeVar("R")
Owner = TypeVar("Owner", bound="Transacting")

#: The most events that wait in memory for being recorded.
_MOST_UNRECORDED = 500


@dataclass(kw_only=True)
class Transaction:
    """An open transaction of one thread.

    Attributes:
        lease: the lease of deliveries whose first attempts are made right after the transaction.
        undoes: whether the writes of a refused call are undone, by a savepoint for each call.
        is_spoiled: whether writes of a refused call remain in the transaction.
        happened: the events of its actions that are not recorded yet, in their order.
        recorded: the recorded events.
    """

    session: Session
    lease: Lease | None = None
    undoes: bool = True
    is_spoiled: bool = False
    happened: list[NewEvent] = field(default_factory=list)
    recorded: list[Recorded] = field(default_factory=list)


class Transacting(Protocol):
    """A part of the library whose methods are transactions."""

    @property
    def _transactions(self) -> "Transactions": ...


def one_transaction(call: Callable[Concatenate[Owner, P], R]) -> Callable[Concatenate[Owner, P], R]:
    """Decorate a method that is one transaction: after a deadlock, it is called again.

    In the caller's own transaction it is not: only the caller can make the whole of that again. The
    method must not use up its arguments.
    """
    again = again_after_deadlock(call)

    @wraps(call)
    def tried(self: Owner, /, *args: P.args, **kwargs: P.kwargs) -> R:
        whole = call if self._transactions.is_open else again
        return whole(self, *args, **kwargs)

    return tried


class Spoiled(Exception):
    """Writes of a refused call remain in a transaction without savepoints."""


class _OfThread(threading.local):
    """The open transaction of each thread."""

    transaction: Transaction | None = None


class Transactions:
    """Gives actions and reads their session.

    Args:
        settings: the addresses that webhooks may have, and the limits of payloads.
        assume: the assumptions of products that actions create.

    Attributes:
        database: the database.
        clock: the source of time.
        ids: the source of ids and secrets.
        unawaited: the calls that must be awaited first.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        ids: Ids,
        settings: Settings,
        assume: Mapping[str, str],
    ) -> None:
        self.clock = clock
        self.ids = ids
        self.database = database
        self._rules = settings.target_rules
        self._assume = dict(assume)
        self._limits = Limits(
            max_depth=settings.max_depth, max_payload_bytes=settings.max_payload_bytes
        )
        self._of_thread = _OfThread()
        self.unawaited = Unawaited()

    @contextmanager
    def begin(self, *, lease: Lease | None = None, undoes: bool = True) -> Iterator[Transaction]:
        """Begin the transaction that all calls of this thread join until the block ends.

        Args:
            lease: the lease of a caller that makes the first attempts right afterwards.
            undoes: whether the writes of a refused call are undone. Without this, calls cost less,
                and the whole transaction is rolled back if a refused call may have written.

        Raises:
            Conflict: a transaction is open already; transactions do not nest.
            NotAwaited: a call was not awaited.
            Spoiled: a refused call had written, so the transaction was rolled back.
        """
        self.unawaited.require_none()
        if self.is_open:
            raise Conflict(
                "A transaction is open already.", hint="Use the open one: transactions do not nest."
            )
        with self.database.transaction() as session:
            self._of_thread.transaction = current = Transaction(
                session=session, lease=lease, undoes=undoes
            )
            try:
                yield current
                if current.is_spoiled:
                    raise Spoiled
                self._record(current)
            finally:
                self._of_thread.transaction = None

    @property
    def is_open(self) -> bool:
        """Whether this thread has an open transaction."""
        return self._of_thread.transaction is not None

    def require_none(self, doing: str) -> None:
        """Check that no transaction is open on this thread.

        Args:
            doing: what a transaction forbids, as the beginning of a sentence.

        Raises:
            Conflict: a transaction is open.
            NotAwaited: a call was not awaited.
        """
        self.unawaited.require_none()
        if self._of_thread.transaction is not None:
            raise Conflict(
                f"{doing} inside a transaction is not possible.",
                hint="Leave the transaction first.",
            )

    @contextmanager
    def acting(self, *, on_documents: bool = False) -> Iterator[Action]:
        """Begin an action, in the open transaction or in one of its own.

        Args:
            on_documents: whether the action reads and writes documents only, and no events.

        Raises:
            NotAwaited: a call was not awaited.
        """
        self.unawaited.require_none()
        current = self._of_thread.transaction
        if current is None:
            with self.database.transaction() as session:
                current = Transaction(session=session)
                with self._action(current) as action:
                    yield action
                self._record(current)
            return
        if not on_documents or len(current.happened) >= _MOST_UNRECORDED:
            self._record(current)
        with _call_in(current), self._action(current) as action:
            yield action

    @contextmanager
    def looking(self) -> Iterator[Session]:
        """Give a session for reading, of the open transaction or of one that only reads.

        Raises:
            NotAwaited: a call was not awaited.
        """
        self.unawaited.require_none()
        current = self._of_thread.transaction
        if current is not None:
            self._record(current)
            yield current.session
            return
        with self.database.reading() as session:
            yield session

    def group_commit(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Make calls in one transaction; return the result or the error of each call.

        In a database with one writer at a time, beginning and committing a transaction costs more
        than the writes of most calls. Most refusals come before a write, so that nothing must be
        undone: a savepoint for each call would cost a fifth of the call. If a refused call has
        written, all calls start again, then with savepoints.
        """
        try:
            return again_after_deadlock(self._done)(calls)
        except LeanbeError as error:
            return [error] * len(calls)
        except Exception as error:  # noqa: BLE001 - the caller that it belongs to gets it
            if len(calls) == 1:
                return [error]
            # Nothing was committed. Each call alone shows which call raises the error.
            return [outcome for each in calls for outcome in self.group_commit([each])]

    def _done(self, calls: Sequence[Callable[[], Any]], *, undoes: bool = False) -> list[Any]:
        try:
            with self.begin(undoes=undoes):
                return [_outcome(call) for call in calls]
        except Spoiled:
            return self._done(calls, undoes=True)

    def action(
        self, session: Session, *, clock: Clock | None = None, given_ids: Sequence[str | None] = ()
    ) -> Action:
        """Return an action in a transaction; the caller records its events, if at all.

        The arguments are those of ``Action``; the default clock is the handle's.
        """
        return Action(
            session=session,
            clock=clock or self.clock,
            ids=self.ids,
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
            now=happened[0].at or self.clock.now(),
            ids=self.ids,
            lease=transaction.lease,
        )


def _outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except LeanbeError as error:
        return error


@contextmanager
def _call_in(transaction: Transaction) -> Iterator[None]:
    """Undo the writes of a refused call, or note that they remain."""
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
        is_changed = bool(session.new or session.dirty or session.deleted)
        transaction.is_spoiled |= before is None or rows_written(session) != before or is_changed
        raise
