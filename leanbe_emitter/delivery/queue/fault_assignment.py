"""Assignment of faults to claimed deliveries: in the claim's transaction, in order, N times each.

A delivery keeps its fault in ``taken_faults`` until an attempt with the fault is settled under its
lease. So a dead worker or a released claim loses no fault. This module also releases deliveries
that a fault holds back, to be due later.

The statement that reads a claim's webhooks also says whether there are faults, so a database
without faults pays nothing. Otherwise the claim assigns them under a lock: N times means N times
for all workers together.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.orm import Session

from leanbe_emitter.delivery.queue_types import Claimed, Settlement
from leanbe_emitter.storage.schema.states import DeliveryState
from leanbe_emitter.storage.schema.tables import DeliveryRow, FaultRow, TakenFaultRow
from leanbe_emitter.wire.assumptions.assumption_set import Ordering
from leanbe_emitter.wire.durations import parse_duration
from leanbe_emitter.wire.event_names import matches
from leanbe_emitter.wire.faults.catalogue import AGAIN, OVERTAKEN, OVERTAKES, FaultSpec

_LATE, _OUT_OF_ORDER, _TWICE = "delivered_late", "delivered_out_of_order", "delivered_twice"


def assign(session: Session, claimed: Sequence[Claimed], *, now: int) -> list[Claimed]:
    """Return claimed deliveries with their faults, without those that a fault holds back.

    Args:
        session: the claim's transaction.
        claimed: the deliveries, those of a product in the order of its events.
        now: the present instant in milliseconds since 1970.
    """
    _delete_of_ended(session)
    assignment = _Assignment(session, claimed, now=now)
    return [each for one in claimed if (each := assignment.assign(one)) is not None]


def finish(
    session: Session,
    attempts: Collection[Settlement],
    states: Mapping[str, DeliveryState],
    *,
    now: int,
) -> None:
    """Finish the faults of attempts that were just settled.

    Args:
        session: the settlement's transaction.
        attempts: settlements of attempts with a fault.
        states: new states by delivery id, without deliveries whose lease we lost.
        now: the present instant in milliseconds since 1970.
    """
    for each in attempts:
        fault = FaultSpec.from_text(each.evidence.fault or "")
        if each.delivery_id not in states:
            continue
        if states[each.delivery_id] is DeliveryState.READY and fault.how(_TWICE) == "":
            _write(session, each.delivery_id, fault.with_how(_TWICE, AGAIN))
            continue
        product_id = session.scalar(
            delete(TakenFaultRow)
            .where(TakenFaultRow.delivery_id == each.delivery_id)
            .returning(TakenFaultRow.product_id)
        )
        if fault.how(_OUT_OF_ORDER) == OVERTAKES:
            overtaken = TakenFaultRow.misbehaviour.contains(f"{_OUT_OF_ORDER}:{OVERTAKEN}")
            _release(session, and_(TakenFaultRow.product_id == product_id, overtaken), now=now)


def release_all(session: Session, *, now: int) -> None:
    """Make due all deliveries that faults hold back, and delete all faults."""
    _release(session, TakenFaultRow.delivery_id.is_not(None), now=now)
    session.execute(delete(FaultRow))
    session.execute(delete(TakenFaultRow))


class _Assignment:
    """Assignment of faults within one claim."""

    def __init__(self, session: Session, claimed: Sequence[Claimed], *, now: int) -> None:
        self._session = session
        self._now = now
        # Locked, so that two claims never assign the same fault: the next claim waits.
        self._armed = session.scalars(
            select(FaultRow)
            .where(FaultRow.fired < FaultRow.times)
            .order_by(FaultRow.position, FaultRow.id)
            .with_for_update()
        ).all()
        taken = session.execute(
            select(TakenFaultRow.delivery_id, TakenFaultRow.misbehaviour).where(
                TakenFaultRow.delivery_id.in_([each.delivery_id for each in claimed])
            )
        )
        self._taken = {row.delivery_id: row.misbehaviour for row in taken}
        self._held = self._held_back({each.product_id for each in claimed})

    def assign(self, claimed: Claimed) -> Claimed | None:
        """Return the delivery, with a fault if one applies; None if the fault holds it back."""
        if claimed.delivery_id in self._taken:
            taken = FaultSpec.from_text(self._taken[claimed.delivery_id])
            return claimed._replace(fault=taken)
        if (held := self._held.pop(claimed.product_id, None)) is not None:
            return self._overtaking(claimed, *held)
        armed = next((each for each in self._armed if _applies(each, claimed)), None)
        if armed is None:
            return claimed
        armed.fired += 1
        return self._with_fault(claimed, FaultSpec.from_text(armed.misbehaviour))

    def _with_fault(self, claimed: Claimed, fault: FaultSpec) -> Claimed | None:
        self._keep(claimed, fault)
        wait = fault.how(_LATE) or fault.how(_OUT_OF_ORDER)
        if not wait:
            return claimed._replace(fault=fault)
        self._hold(claimed, until=self._now + int(parse_duration(wait) * 1000))
        if fault.how(_OUT_OF_ORDER):
            self._held[claimed.product_id] = claimed.delivery_id, fault
        return None

    def _overtaking(self, claimed: Claimed, held_id: str, fault: FaultSpec) -> Claimed:
        """Let a delivery overtake the one that is held back."""
        _write(self._session, held_id, fault.with_how(_OUT_OF_ORDER, OVERTAKEN))
        overtakes = FaultSpec.from_text(f"{_OUT_OF_ORDER}:{OVERTAKES}")
        self._keep(claimed, overtakes)
        return claimed._replace(fault=overtakes)

    def _held_back(self, product_ids: set[str]) -> dict[str, tuple[str, FaultSpec]]:
        """Return, by product, the delivery that waits to be overtaken."""
        rows = self._session.scalars(
            select(TakenFaultRow)
            .join(DeliveryRow, DeliveryRow.id == TakenFaultRow.delivery_id)
            .where(
                TakenFaultRow.product_id.in_(product_ids),
                DeliveryRow.state == DeliveryState.WAITING,
            )
            # A locked row is being overtaken in another transaction.
            .with_for_update(of=TakenFaultRow, skip_locked=True)
        )
        held = [(row, FaultSpec.from_text(row.misbehaviour)) for row in rows]
        return {
            row.product_id: (row.delivery_id, fault)
            for row, fault in held
            if fault.how(_OUT_OF_ORDER) not in {None, OVERTAKEN, OVERTAKES}
        }

    def _keep(self, claimed: Claimed, fault: FaultSpec) -> None:
        self._session.add(
            TakenFaultRow(
                delivery_id=claimed.delivery_id,
                product_id=claimed.product_id,
                misbehaviour=str(fault),
            )
        )

    def _hold(self, claimed: Claimed, *, until: int) -> None:
        """Release a claimed delivery, to be due later."""
        self._session.execute(
            update(DeliveryRow)
            .where(DeliveryRow.id == claimed.delivery_id, DeliveryRow.lease_token == claimed.token)
            .values(
                state=DeliveryState.WAITING,
                due_at=until,
                lease_token=None,
                lease_until=None,
                attempts_started=DeliveryRow.attempts_started - 1,
            )
            .execution_options(synchronize_session=False)
        )


def _applies(armed: FaultRow, claimed: Claimed) -> bool:
    """Say whether an armed fault applies to a delivery."""
    if armed.fired >= armed.times or armed.product_id not in {None, claimed.product_id}:
        return False
    if armed.event is not None and not matches(claimed.event_name, armed.event):
        return False
    is_strict = claimed.webhook.assumptions.get("ordering") == Ordering.STRICT
    # Under strict ordering nothing may overtake: the delivery would only be late.
    return not (is_strict and FaultSpec.from_text(armed.misbehaviour).how(_OUT_OF_ORDER))


def _delete_of_ended(session: Session) -> None:
    """Delete faults of deliveries that ended without an attempt, as by a discard."""
    ended = session.scalars(
        select(TakenFaultRow.delivery_id)
        .join(DeliveryRow, DeliveryRow.id == TakenFaultRow.delivery_id)
        .where(DeliveryRow.state.in_([each for each in DeliveryState if each.is_end]))
        .with_for_update(of=TakenFaultRow, skip_locked=True)
    ).all()
    if ended:
        session.execute(delete(TakenFaultRow).where(TakenFaultRow.delivery_id.in_(ended)))


def _write(session: Session, delivery_id: str, fault: FaultSpec) -> None:
    session.execute(
        update(TakenFaultRow)
        .where(TakenFaultRow.delivery_id == delivery_id)
        .values(misbehaviour=str(fault))
        .execution_options(synchronize_session=False)
    )


def _release(session: Session, which: ColumnElement[bool], *, now: int) -> None:
    """Make due the deliveries that certain faults hold back.

    Locked rows are skipped: another transaction is claiming them or making them due. If this one
    waited for them while it holds locks itself, the two could deadlock.
    """
    held = session.scalars(
        select(DeliveryRow.id)
        .join(TakenFaultRow, DeliveryRow.id == TakenFaultRow.delivery_id)
        .where(which, DeliveryRow.state == DeliveryState.WAITING)
        .with_for_update(of=DeliveryRow, skip_locked=True)
    ).all()
    session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id.in_(held))
        .values(state=DeliveryState.READY, due_at=now)
        .execution_options(synchronize_session=False)
    )
