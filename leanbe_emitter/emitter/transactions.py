"""Transactions of the library: each call is one of its own, or part of the caller's.

A transaction is bound to the thread that began it; a call that finds one open there joins it, and
what it changed is committed, or rolled back, with all the rest.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy.orm import Session

from leanbe_emitter.clock import Clock
from leanbe_emitter.domain.action import Action
from leanbe_emitter.errors import Conflict
from leanbe_emitter.ids import Ids
from leanbe_emitter.storage.database import Database
from leanbe_emitter.targets import TargetRules


class Transactions:
    """Where actions and look-ups get their session from."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        ids: Ids,
        rules: TargetRules,
        assume: Mapping[str, str],
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._rules = rules
        self._assume = dict(assume)
        self._open = threading.local()

    @contextmanager
    def begin(self) -> Iterator[None]:
        """Begin the transaction that all calls of this thread join until the block ends.

        Raises:
            Conflict: there is one already; they do not nest.
        """
        if self.is_open:
            raise Conflict(
                "A transaction is open already.", hint="Go on in it: transactions do not nest."
            )
        with self._database.transaction() as session:
            self._open.session = session
            try:
                yield
            finally:
                self._open.session = None

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
        """
        if self.is_open:
            raise Conflict(
                f"{doing} inside a transaction is not possible.",
                hint="Leave the transaction first.",
            )

    @contextmanager
    def acting(self) -> Iterator[Action]:
        """Begin an action, in the open transaction or in one of its own."""
        current = self._current
        if current is not None:
            yield self._action(current)
            return
        with self._database.transaction() as session:
            yield self._action(session)

    @contextmanager
    def looking(self) -> Iterator[Session]:
        """Look things up, in the open transaction or in one that only reads."""
        current = self._current
        if current is not None:
            yield current
            return
        with self._database.reading() as session:
            yield session

    def now(self) -> datetime:
        """Return the present instant."""
        return self._clock.now()

    @property
    def _current(self) -> Session | None:
        session: Session | None = getattr(self._open, "session", None)
        return session

    def _action(self, session: Session) -> Action:
        return Action(
            session=session, now=self.now(), ids=self._ids, rules=self._rules, assume=self._assume
        )
