"""Group commit: actions that arrive while others commit share the next transaction.

A writer of SQLite, or of one product's documents on PostgreSQL, holds its lock until the commit,
and a commit costs more than most actions write. So an action that arrives during a commit waits for
the next batch, and for nothing else: the busier the server, the larger the batch. Each action of a
batch succeeds or fails alone, and its request is answered after the commit.

On SQLite, all actions form one queue of batches. On PostgreSQL, each product has its own, and an
action that may lock further products joins no batch.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from functools import partial
from typing import Any, TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from leanbe_emitter.library import Leanbe
from leanbe_emitter.storage.queries.journal import Cursor

#: Most actions of a batch: the first of them waits for the last.
MAX_BATCH = 100

Action: TypeAlias = Callable[[], Response]
#: Result of an action: its response with a cursor from before the batch, or its error.
Outcome: TypeAlias = tuple[Response, Cursor] | Exception


class _Batch:
    """Actions of one transaction, and the task that runs them; all get the task's result."""

    def __init__(self, run: Callable[["_Batch"], Coroutine[Any, Any, list[Outcome]]]) -> None:
        self.actions: list[Action] = []
        self.has_begun = False
        self.task = asyncio.create_task(run(self), context=Context())

    def has_room(self) -> bool:
        is_open = not (self.has_begun or self.task.done())
        return is_open and len(self.actions) < MAX_BATCH


class GroupCommit:
    """Runs actions in batches, one batch of a queue after the other.

    Args:
        leanbe: the handle that the actions use.
        on_commit: called on the loop after each batch.
    """

    def __init__(self, leanbe: Leanbe, *, on_commit: Callable[[], object]) -> None:
        self._leanbe = leanbe
        self._on_commit = on_commit
        self._last_batches: dict[str, _Batch] = {}

    async def run(self, action: Action, *, product: str) -> tuple[Response, Cursor]:
        """Run an action in the next batch; raise what the action raises.

        Args:
            action: returns the response.
            product: the product that the action locks, as the request names it.

        Returns:
            The action's response, and a cursor from before the batch.

        Raises:
            DatabaseUnavailable: the batch failed, and none of its actions has an effect.
        """
        batch = self._next_batch("" if self._leanbe.writes_alone else product)
        position = len(batch.actions)
        # The action has its request's context, from which logs take the request's id.
        batch.actions.append(partial(copy_context().run, action))
        # A request that is cancelled leaves the batch to the others.
        outcome = (await asyncio.shield(batch.task))[position]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _next_batch(self, queue: str) -> _Batch:
        """Return the batch of a queue that is still open, or a new one."""
        last = self._last_batches.get(queue)
        if last is None or not last.has_room():
            self._last_batches[queue] = last = _Batch(partial(self._run_batch, last))
            last.task.add_done_callback(partial(self._forget, queue, last))
        return last

    def _forget(self, queue: str, batch: _Batch, _: object) -> None:
        if self._last_batches.get(queue) is batch:
            del self._last_batches[queue]

    async def _run_batch(self, previous: _Batch | None, batch: _Batch) -> list[Outcome]:
        if previous is not None and not previous.task.done():
            await asyncio.wait({previous.task})
        batch.has_begun = True
        outcomes = await run_in_threadpool(self._outcomes, batch.actions)
        self._on_commit()
        return outcomes

    def _outcomes(self, actions: list[Action]) -> list[Outcome]:
        calls = [self._leanbe.journal.wait_cursor, *actions]
        cursor, *outcomes = self._leanbe.group_commit(calls)
        return [each if isinstance(each, Exception) else (each, cursor) for each in outcomes]
