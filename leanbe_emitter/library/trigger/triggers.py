"""``leanbe.trigger_all`` and ``leanbe.dry_run``: record synthetic events, or only show them."""

from leanbe_emitter.clock import Clock
from leanbe_emitter.delivery.worker.watcher import Watcher
from leanbe_emitter.domain import webhooks
from leanbe_emitter.ids import Ids
from leanbe_emitter.library.deliveries.deliveries import Deliveries
from leanbe_emitter.library.deliveries.delivery import Event
from leanbe_emitter.library.deliveries.foreground_attempts import Attempts
from leanbe_emitter.library.runtime.transactions import Transactions
from leanbe_emitter.library.trigger.synthetic_events import TriggerRequest
from leanbe_emitter.library.trigger.trigger_request import plan, record_planned
from leanbe_emitter.library.trigger.trigger_results import DryRun, Triggered, dry_runs
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.schema.tables import EventRow


class Triggers:
    """Triggers synthetic events in a handle's database."""

    def __init__(  # noqa: PLR0913 - the parts of the handle that it uses
        self,
        transactions: Transactions,
        attempts: Attempts,
        deliveries: Deliveries,
        *,
        clock: Clock,
        ids: Ids,
        settings: Settings,
    ) -> None:
        self._transactions = transactions
        self._attempts = attempts
        self._deliveries = deliveries
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def run(
        self, request: TriggerRequest, *, deliver: bool, watcher: Watcher
    ) -> list[Triggered]:
        """Record the events and, with ``deliver``, make the first attempts of their deliveries.

        Raises:
            Conflict: attempts are to be made here, and that is not possible.
            InvalidValue: an unknown event, a wrong path, or an assumption that is refused.
            NotFound: there is no such product or delivery.
        """
        lease = self._attempts.new_lease(deliver=deliver)
        with self._transactions.acting() as action:
            made = record_planned(
                action.session,
                request,
                now=action.now,
                ids=self._ids,
                settings=self._settings,
                lease=lease,
            )
            events = [Event.of(action.session.get_one(EventRow, each.event_id)) for each in made]
        delivery_ids = [each.delivery_id for each in made]
        with_delivery = [each for each in delivery_ids if each]
        await self._attempts.make_first(with_delivery, lease=lease, watcher=watcher)
        deliveries = {each.id: each for each in self._deliveries.of(with_delivery)}
        return [
            Triggered(event=event, delivery=deliveries.get(delivery_id or ""))
            for event, delivery_id in zip(events, delivery_ids, strict=True)
        ]

    def dry_run(self, request: TriggerRequest) -> list[DryRun]:
        """Return the requests that ``run`` would make. Nothing is stored or sent."""
        now = self._clock.now()
        with self._transactions.looking() as session:
            planned = plan(session, request, now=now, ids=self._ids, settings=self._settings)
            return list(dry_runs(planned, webhooks.get(session, planned.product), now=now))
