"""Actions that come while others are being committed are done together, in one transaction.

Whoever writes to SQLite, or to one product's documents on PostgreSQL, is alone there until the
commit, and such a turn costs more than what most actions write. So who comes while one is under way
waits for the next, and for nothing else: the busier the server, the more go together. Each of them
is done or refused by itself, has no part in an error of another, and is answered after the commit.

On SQLite all actions go together. On PostgreSQL those of one product do, unless they lock another
one.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from leanbe_emitter.library import Leanbe
from leanbe_emitter.storage.queries.journal import Cursor

#: How many go together at the most: so long does the first of them wait for the last.
MOST = 100

Act: TypeAlias = Callable[[], Response]
#: What came of it: the answer with a cursor from before it, or an error.
Outcome: TypeAlias = tuple[Response, Cursor] | Exception


@dataclass(frozen=True, kw_only=True, eq=False)
class _Waiting:
    """Somebody's action; logs know it by its context."""

    act: Act
    context: Context = field(default_factory=copy_context)

    def do(self) -> Response:
        return self.context.run(self.act)


class _Batch:
    """Those who go together, and the task that does it: however that ends, it ends for them."""

    def __init__(self, do: Callable[["_Batch"], Coroutine[Any, Any, list[Outcome]]]) -> None:
        self.waiting: list[_Waiting] = []
        self.has_begun = False
        self.doing = asyncio.create_task(do(self), context=Context())

    def takes_more(self) -> bool:
        return not (self.has_begun or self.doing.done()) and len(self.waiting) < MOST


class Together:
    """Does actions together: of all products or of each, one batch after the other.

    Args:
        leanbe: what they act on.
        committed: is called on the loop after each batch that was committed.
    """

    def __init__(self, leanbe: Leanbe, *, committed: Callable[[], object]) -> None:
        self._leanbe = leanbe
        self._committed = committed
        self._last: dict[str, _Batch] = {}

    async def do(self, act: Act, *, product: str) -> tuple[Response, Cursor]:
        """Do an action in a transaction of this or of others, too; raise what it raises.

        Args:
            act: what it comes to.
            product: what it locks, by the name that it is called by.

        Returns:
            What it answers, and a cursor from before all of them.

        Raises:
            DatabaseUnavailable: nothing was done, of the others neither.
        """
        batch = self._next("" if self._leanbe.writes_alone else product)
        place = len(batch.waiting)
        batch.waiting.append(_Waiting(act=act))
        # Whoever goes away meanwhile leaves it to the others.
        outcome = (await asyncio.shield(batch.doing))[place]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _next(self, turn: str) -> _Batch:
        """Return those who take a turn next."""
        last = self._last.get(turn)
        if last is None or not last.takes_more():
            self._last[turn] = last = _Batch(partial(self._do, last))
            last.doing.add_done_callback(lambda _: self._forget(turn, last))
        return last

    def _forget(self, turn: str, batch: _Batch) -> None:
        if self._last.get(turn) is batch:
            del self._last[turn]

    async def _do(self, before: _Batch | None, batch: _Batch) -> list[Outcome]:
        if before is not None and not before.doing.done():
            await asyncio.wait({before.doing})
        batch.has_begun = True
        outcomes = await run_in_threadpool(self._outcomes, batch.waiting)
        self._committed()
        return outcomes

    def _outcomes(self, some: list[_Waiting]) -> list[Outcome]:
        calls = [self._leanbe.journal.wait_cursor, *(each.do for each in some)]
        cursor, *outcomes = self._leanbe.together(calls)
        return [each if isinstance(each, Exception) else (each, cursor) for each in outcomes]
