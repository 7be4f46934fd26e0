"""Attempts that a handle makes itself: on the caller's thread, or in the caller's event loop.

A handle makes attempts one after the other, so that the same calls give the same requests in the
same order. It makes none inside a transaction, and none from inside a receiver.
"""

from collections.abc import Sequence

from leanbe_emitter.delivery.worker.watcher import Watcher
from leanbe_emitter.library.runtime.engine import Engine
from leanbe_emitter.library.runtime.loop_runner import require_no_receiver
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.outbox import Lease


class Attempts:
    """Makes attempts with a handle's engine."""

    def __init__(self, transactions: Transactions, engine: Engine) -> None:
        self._transactions = transactions
        self._engine = engine

    def require_possible(self) -> None:
        """Check that attempts can be made here. Callers check before they lease anything.

        Raises:
            Conflict: a transaction is open, or a receiver is running this code.
        """
        self._transactions.require_none("Making attempts")
        require_no_receiver()

    def new_lease(self, *, deliver: bool) -> Lease | None:
        """Return a lease for first attempts that are made here; None if a worker makes them.

        Raises:
            Conflict: attempts are to be made here, and that is not possible.
        """
        if not deliver:
            return None
        self.require_possible()
        return self._engine.new_lease()

    async def make_first(
        self, delivery_ids: Sequence[str], *, lease: Lease | None, watcher: Watcher
    ) -> None:
        """Make the first attempts of deliveries that hold this lease; without a lease, none."""
        if lease is not None:
            await self._engine.attempt(delivery_ids, lease=lease, watcher=watcher)

    async def make_due(self, delivery_ids: Sequence[str], *, watcher: Watcher) -> None:
        """Make the attempts of those deliveries that are due and not leased."""
        self.require_possible()
        await self._engine.attempt_due(delivery_ids, watcher=watcher)
