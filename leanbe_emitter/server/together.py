"""Actions that come while others are being committed are done together, in one transaction.

Where a database has one writer at a time, its turns cost more than what most actions write. So
whoever comes while one transaction is under way waits for the next, and for nothing else: the
busier the server, the more go together. Each of them is done or refused by itself, has no part in
an error of another, and is answered after the commit.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import TypeAlias

from fastapi.responses import Response

from leanbe_emitter.emitter import Leanbe
from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.storage.journal import Cursor

#: How many go together at the most: so long does the first of them wait for the last.
MOST = 100

Act: TypeAlias = Callable[[], Response]
#: What came of it: the answer with a cursor from before it, or an error.
Outcome: TypeAlias = tuple[Response, Cursor] | Exception


@dataclass(frozen=True, kw_only=True, eq=False)
class _Waiting:
    """Somebody's action, and where the outcome is awaited; logs know it by its context."""

    act: Act
    outcome: asyncio.Future[tuple[Response, Cursor]]
    context: Context = field(default_factory=copy_context)

    def done(self, cursor: Cursor) -> Outcome:
        try:
            return self.context.run(self.act), cursor
        except LeanbeError as error:
            return error

    def tell(self, outcome: Outcome) -> None:
        if self.outcome.done():
            return
        if isinstance(outcome, Exception):
            self.outcome.set_exception(outcome)
        else:
            self.outcome.set_result(outcome)


class Together:
    """Does actions together, on one thread at a time."""

    def __init__(self, leanbe: Leanbe) -> None:
        self._leanbe = leanbe
        self._waiting: list[_Waiting] = []
        self._doing: asyncio.Task[None] | None = None

    async def do(self, act: Act) -> tuple[Response, Cursor]:
        """Do an action in a transaction of this or of others, too; raise what it raises.

        Returns:
            What it answers, and a cursor from before all of them.

        Raises:
            DatabaseUnavailable: nothing was done, of the others neither.
        """
        outcome: asyncio.Future[tuple[Response, Cursor]] = asyncio.Future()
        self._waiting.append(_Waiting(act=act, outcome=outcome))
        if self._doing is None or self._doing.done():
            self._doing = asyncio.create_task(self._do_all(), context=Context())
        return await outcome

    async def _do_all(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            outcomes = await asyncio.to_thread(self._outcomes, some)
            for each, outcome in zip(some, outcomes, strict=True):
                each.tell(outcome)

    def _outcomes(self, some: list[_Waiting]) -> list[Outcome]:
        try:
            with self._leanbe.transaction():
                cursor = self._leanbe.watching.beginning()
                return [each.done(cursor) for each in some]
        except LeanbeError as error:
            return [error] * len(some)
        except Exception as error:  # noqa: BLE001 - whoever it belongs to is told
            if len(some) == 1:
                return [error]
            # Nothing was done: whose error it is turns out when each is done alone.
            return [outcome for each in some for outcome in self._outcomes([each])]
