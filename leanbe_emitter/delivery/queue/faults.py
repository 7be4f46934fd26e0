"""Faults as claims meet them: taken in the claim's own transaction, in order, as often as asked.

A delivery keeps what it has taken until an attempt with it was settled by whoever made it: so none
is lost with a worker, or with a claim that is handed back. What a fault holds back is handed back
here, to be due later.

The statement by which a claim reads its products' webhooks also says whether there are faults, so a
database without faults pays nothing for them. Where there are some, the claim takes them under a
lock: N means N for all workers together. A delivery names its faults in ``taken_faults``.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.orm import Session

from leanbe_emitter.delivery.claims import Claimed, Settlement
from leanbe_emitter.storage.schema.states import DeliveryState
from leanbe_emitter.storage.schema.tables import DeliveryRow, FaultRow, TakenFaultRow
from leanbe_emitter.wire.assumptions.assumption_set import Ordering
from leanbe_emitter.wire.durations import parse_duration
from leanbe_emitter.wire.event_names import matches
from leanbe_emitter.wire.faults.catalogue import AGAIN, OVERTAKEN, OVERTAKES, FaultSpec

_LATE, _OUT_OF_ORDER, _TWICE = "delivered_late", "delivered_out_of_order", "delivered_twice"


def take(session: Session, claimed: Sequence[Claimed], *, now: int) -> list[Claimed]:
    """Return what was claimed, each with the fault of its attempt, less what one holds back.

    Args:
        session: the claim's transaction.
        claimed: what was claimed, a product's in the order of its events.
        now: the present instant in milliseconds since 1970.
    """
    _forget_what_ended(session)
    taking = _Taking(session, claimed, now=now)
    return [each for one in claimed if (each := taking.under_a_fault(one)) is not None]


def settled(
    session: Session,
    attempts: Collection[Settlement],
    states: Mapping[str, DeliveryState],
    *,
    now: int,
) -> None:
    """Let deliveries have done with the faults of attempts that were settled just now.

    Args:
        session: the settlement's transaction.
        attempts: those that were made with a fault.
        states: what became of deliveries, by their ids; what was ours no more is not there.
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
    """Make due what faults hold back, and forget every fault."""
    _release(session, TakenFaultRow.delivery_id.is_not(None), now=now)
    session.execute(delete(FaultRow))
    session.execute(delete(TakenFaultRow))


class _Taking:
    """The faults of one claim."""

    def __init__(self, session: Session, claimed: Sequence[Claimed], *, now: int) -> None:
        self._session = session
        self._now = now
        # Locked, so that two claims never take the same one; the next claim waits for this one.
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

    def under_a_fault(self, claimed: Claimed) -> Claimed | None:
        """Return what was claimed with its fault, if there is one for it; None if it is held."""
        if claimed.delivery_id in self._taken:
            taken = FaultSpec.from_text(self._taken[claimed.delivery_id])
            return claimed._replace(fault=taken)
        if (held := self._held.pop(claimed.product_id, None)) is not None:
            return self._overtaking(claimed, *held)
        armed = next((each for each in self._armed if _is_meant(each, claimed)), None)
        if armed is None:
            return claimed
        armed.fired += 1
        return self._taking(claimed, FaultSpec.from_text(armed.misbehaviour))

    def _taking(self, claimed: Claimed, fault: FaultSpec) -> Claimed | None:
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
        """Return, by product, the delivery that waits for the next one to overtake it."""
        rows = self._session.scalars(
            select(TakenFaultRow)
            .join(DeliveryRow, DeliveryRow.id == TakenFaultRow.delivery_id)
            .where(
                TakenFaultRow.product_id.in_(product_ids),
                DeliveryRow.state == DeliveryState.WAITING,
            )
            # Who has locked it is letting another one overtake it.
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
        """Give back what was claimed, to be due later."""
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


def _is_meant(armed: FaultRow, claimed: Claimed) -> bool:
    """Say whether an armed fault is meant for a delivery."""
    if armed.fired >= armed.times or armed.product_id not in {None, claimed.product_id}:
        return False
    if armed.event is not None and not matches(claimed.event_name, armed.event):
        return False
    is_strict = claimed.webhook.assumptions.get("ordering") == Ordering.STRICT
    # Nothing may overtake there: it would only be late.
    return not (is_strict and FaultSpec.from_text(armed.misbehaviour).how(_OUT_OF_ORDER))


def _forget_what_ended(session: Session) -> None:
    """Forget what deliveries had taken that ended otherwise: somebody discarded them."""
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
    """Make due what is held back, of the faults of a condition.

    What is locked is being made due, or claimed, by somebody else just now: who waited for that,
    with what is released already, would wait for who waits for this.
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
