"""``leanbe.deliveries``: what is owed, what was sent, and the evidence of every attempt."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from leanbe_emitter.clock import to_milliseconds
from leanbe_emitter.delivery.curl import curl
from leanbe_emitter.delivery.transport import compose_headers
from leanbe_emitter.domain.references import find
from leanbe_emitter.emitter.products import ProductRef, named
from leanbe_emitter.emitter.snapshots import Attempt, Delivery, Event
from leanbe_emitter.emitter.transactions import Transactions
from leanbe_emitter.errors import Conflict, NotFound
from leanbe_emitter.storage import journal
from leanbe_emitter.storage.states import DeliveryState, DeliveryStatus
from leanbe_emitter.storage.tables import (
    AttemptRow,
    DeliveryRow,
    EventRow,
    RetiredSecretRow,
    WebhookRow,
)
from leanbe_emitter.wire.catalogue import matching
from leanbe_emitter.wire.explain import Explanation, explain

DeliveryRef = Delivery | str

#: How many rows a list has unless it is told otherwise.
PAGE = 200

T = TypeVar("T")

_CANCELLABLE = (DeliveryState.NEW, DeliveryState.READY, DeliveryState.WAITING)


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which deliveries are meant; what is None does not matter.

    Attributes:
        status: their status.
        event: a glob of event names (``idea.*``).
        product: whose they are.
        since: created at this instant or later.
        before: created before this instant.
    """

    status: DeliveryStatus | None = None
    event: str | None = None
    product: ProductRef | None = None
    since: datetime | None = None
    before: datetime | None = None


class Deliveries:
    """The deliveries of a database.

    Args:
        redeliver: owes the events of deliveries again and makes the first attempts at once;
            returns the ids of the new deliveries.
    """

    def __init__(
        self, transactions: Transactions, *, redeliver: Callable[[Sequence[str]], list[str]]
    ) -> None:
        self._transactions = transactions
        self._redeliver = redeliver

    def get(self, reference: DeliveryRef) -> Delivery:
        """Return the delivery of that id, or of a part of it.

        Raises:
            NotFound: there is none.
            InvalidValue: there are several.
        """
        with self._transactions.looking() as session:
            return self._snapshots(session, [self._row(session, reference)])[0]

    def list(self, which: Filter | None = None, *, limit: int = PAGE) -> Sequence[Delivery]:
        """Return the newest deliveries first, up to ``limit``.

        Raises:
            NotFound: the filter names a product that is not there.
            InvalidValue: its glob matches no event name.
        """
        with self._transactions.looking() as session:
            rows = session.scalars(
                _selected(session, which or Filter()).order_by(DeliveryRow.id.desc()).limit(limit)
            ).all()
            return self._snapshots(session, rows)

    def last(self, event: str | None = None) -> Delivery:
        """Return the newest delivery, of an event name or glob, or of any.

        Raises:
            NotFound: there is none.
        """
        found = self.list(Filter(event=event), limit=1)
        if not found:
            raise NotFound(f"There is no delivery{f' of {event!r}' if event else ''} yet.")
        return found[0]

    def of(self, delivery_ids: Iterable[str]) -> Sequence[Delivery]:
        """Return the deliveries of these ids, in the same order, less those that are gone."""
        wanted = list(delivery_ids)
        with self._transactions.looking() as session:
            rows = session.scalars(select(DeliveryRow).where(DeliveryRow.id.in_(wanted))).all()
            by_id = {each.id: each for each in self._snapshots(session, rows)}
        return [by_id[each] for each in wanted if each in by_id]

    def redeliver(self, reference: DeliveryRef) -> Delivery:
        """Deliver an old event again: the same bytes, to the product's present URL, at once.

        Raises:
            NotFound: there is no such delivery.
            Conflict: its product has no URL now.
        """
        with self._transactions.looking() as session:
            row = self._row(session, reference)
        return self.of(self._redeliver([row.id]))[0]

    def discard(
        self, references: Iterable[DeliveryRef] = (), *, which: Filter | None = None
    ) -> Sequence[Delivery]:
        """Give up what is pending, by name or by filter; return what was cancelled.

        What is in flight at this moment is left alone, and so is what is settled.

        Raises:
            NotFound: there is no such delivery.
        """
        with self._transactions.acting() as action:
            session = action.session
            ids = [self._row(session, reference).id for reference in references]
            if which is not None:
                ids += session.scalars(_selected(session, which, DeliveryRow.id)).all()
            cancelled = _cancel(session, ids)
            journal.cancelled(session, cancelled)
        return self.of(delivery_id for *_, delivery_id in cancelled)

    def curl(self, delivery: Delivery) -> str:
        """Return a shell command that sends the delivery's last request again, byte for byte.

        Raises:
            Conflict: nothing was sent yet, and there is no URL to send it to.
        """
        with self._transactions.looking() as session:
            webhook = session.get_one(WebhookRow, delivery.event.product_id)
        url, headers, body = _request_of(delivery)
        return curl(
            method=delivery.event.method,
            url=url,
            headers=headers,
            body=body.decode(),
            ca_file=webhook.ca_file,
            insecure=webhook.insecure,
        )

    def explain(self, delivery: Delivery, *, got: str | None = None) -> Explanation:
        """Say what a receiver does wrong that computes another signature for this delivery."""
        event = delivery.event
        with self._transactions.looking() as session:
            webhook = session.get_one(WebhookRow, event.product_id)
            others = _other_secrets(session, event.product_id)
        body = delivery.attempts[-1].request_body if delivery.attempts else event.body
        return explain(body, webhook.secret or "", got=got, other_secrets=others)

    def _row(self, session: Session, reference: DeliveryRef) -> DeliveryRow:
        text = reference.id if isinstance(reference, Delivery) else reference
        return find(session, select(DeliveryRow), text, what="delivery", by_id=DeliveryRow.id)

    def _snapshots(self, session: Session, rows: Sequence[DeliveryRow]) -> Sequence[Delivery]:
        events = {
            row.id: Event.of(row)
            for row in _rows_of(session, EventRow, EventRow.id, [row.event_id for row in rows])
        }
        attempts = _attempts(session, rows)
        urls = {
            row.product_id: row.url
            for row in _rows_of(
                session, WebhookRow, WebhookRow.product_id, [row.product_id for row in rows]
            )
        }
        return [
            Delivery.of(
                row,
                events[row.event_id],
                tuple(Attempt.of(each, events[row.event_id]) for each in attempts[row.id]),
                url=urls.get(row.product_id),
                deliveries=self,
            )
            for row in rows
        ]


def _selected(session: Session, which: Filter, what: Any = DeliveryRow) -> Select[Any]:
    statement = select(what)
    if which.status is not None:
        states = [state for state in DeliveryState if state.status is which.status]
        statement = statement.where(DeliveryRow.state.in_(states))
    if which.event is not None:
        names = matching(which.event)
        statement = statement.join(EventRow).where(EventRow.name.in_(names))
    if which.product is not None:
        statement = statement.where(DeliveryRow.product_id == named(session, which.product).id)
    if which.since is not None:
        statement = statement.where(DeliveryRow.created_at >= to_milliseconds(which.since))
    if which.before is not None:
        statement = statement.where(DeliveryRow.created_at < to_milliseconds(which.before))
    return statement


def _cancel(session: Session, ids: Sequence[str]) -> list[tuple[str, str, str]]:
    """Cancel what is pending and not in flight; return product, event and id of each."""
    rows = session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id.in_(ids))
        .where(DeliveryRow.state.in_(_CANCELLABLE))
        .values(state=DeliveryState.CANCELLED)
        .returning(DeliveryRow.product_id, DeliveryRow.event_id, DeliveryRow.id)
        .execution_options(synchronize_session=False)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def _rows_of(session: Session, table: type[T], column: Any, ids: Sequence[str]) -> Sequence[T]:
    return session.scalars(select(table).where(column.in_(set(ids)))).all() if ids else []


def _attempts(session: Session, rows: Sequence[DeliveryRow]) -> dict[str, list[AttemptRow]]:
    found: dict[str, list[AttemptRow]] = {row.id: [] for row in rows}
    for attempt in session.scalars(
        select(AttemptRow).where(AttemptRow.delivery_id.in_(found)).order_by(AttemptRow.number)
    ):
        found[attempt.delivery_id].append(attempt)
    return found


def _request_of(delivery: Delivery) -> tuple[str, Sequence[tuple[str, str]], bytes]:
    """Return URL, headers and body of the last request, or of the one that is to be made."""
    if delivery.attempts:
        last = delivery.attempts[-1]
        return last.url, last.request_headers, last.request_body
    if delivery.url is None:
        raise Conflict("Nothing was sent yet, and the product has no URL.", hint="webhook set")
    body = delivery.event.body
    headers = compose_headers(delivery.url, content_length=len(body), extra=delivery.event.headers)
    return delivery.url, headers, body


def _other_secrets(session: Session, product_id: str) -> list[tuple[str, str]]:
    retired = session.scalars(
        select(RetiredSecretRow.secret).where(RetiredSecretRow.product_id == product_id)
    ).all()
    others = session.scalars(
        select(WebhookRow.secret)
        .where(WebhookRow.product_id != product_id)
        .where(WebhookRow.secret.is_not(None))
    ).all()
    return [
        *(("an old secret of this product", secret) for secret in retired),
        *(("another product's secret", secret) for secret in others if secret),
    ]
