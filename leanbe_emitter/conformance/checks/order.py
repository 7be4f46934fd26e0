"""Events out of order: an update before its creation, and an update after its deletion."""

from collections.abc import Sequence

from leanbe_emitter.conformance import fixes
from leanbe_emitter.conformance.check import Check, judgement_of
from leanbe_emitter.conformance.checks.distinct_events import counts_deliveries, resource_of
from leanbe_emitter.conformance.client import Exchange
from leanbe_emitter.conformance.events import Event
from leanbe_emitter.conformance.observation import (
    Movement,
    along,
    movement,
    movement_in_words,
    shows,
)
from leanbe_emitter.conformance.report import Judgement, Level, Verdict, inconclusive
from leanbe_emitter.conformance.run_context import Group, RunContext, confirmed
from leanbe_emitter.wire.stringify import JSON


async def _reversed(context: RunContext) -> Judgement:
    """Send a creation and an update in order, and those of another document reversed."""
    start = await context.at_rest()
    ordered = _created_and_updated(context)
    await _send(context, *ordered)
    middle = await context.at_rest()
    created, updated = _created_and_updated(context)
    exchanges = await _send(context, updated, created)
    end = await context.at_rest()
    if refused := _refused_among(exchanges):
        return context.judgement_of_refused(refused)
    if not context.shows_effects:
        return inconclusive(context.why_unobserved)
    if start == middle:
        return inconclusive("neither event has an effect here")
    wrong = _other_winner(middle, end, ordered, (created, updated)) or _other_count(
        movement(start, middle), movement(middle, end)
    )
    if wrong:
        return judgement_of(exchanges[-1], Verdict.FAIL, but=wrong)
    return judgement_of(exchanges[-1], Verdict.PASS, but="the same end state")


def _other_winner(
    ordered: JSON, reverse: JSON, in_order: tuple[Event, Event], reversed_: tuple[Event, Event]
) -> str:
    """Return how the titles differ from those of the events in order; empty if they do not."""
    created, updated = in_order
    late_created, early_updated = reversed_
    if not shows(ordered, updated.token):
        return ""
    if not shows(reverse, early_updated.token):
        return "but the update is lost"
    if not shows(ordered, created.token) and shows(reverse, late_created.token):
        return "but the creation undid the update"
    return ""


def _other_count(in_order: Movement, reversed_: Movement) -> str:
    if not in_order:
        return ""
    if not reversed_:
        return "but nothing is stored"
    more = {path: by for path, by in reversed_.items() if abs(by) > abs(in_order.get(path, by))}
    return f"but {movement_in_words(more)}; in order {movement_in_words(in_order)}" if more else ""


async def _after_deletion(context: RunContext) -> Judgement:
    """Send a creation, the deletion, and an update from between them."""
    documents, resource = context.events.documents(), resource_of(context)
    created = documents.event(f"{resource}.created")
    late = documents.event(f"{resource}.updated")
    deleted = documents.event(f"{resource}.deleted")
    await _send(context, created, deleted)
    before = await context.at_rest()
    (exchange,) = await _send(context, late)
    after = await context.at_rest()
    if not exchange.is_accepted:
        return context.judgement_of_refused(exchange)
    if not context.shows_effects:
        return inconclusive(context.why_unobserved)
    is_back = shows(after, late.token) and not shows(before, created.token)
    moved = along(movement(before, after), context.effective[0].single)
    if is_back or (moved and not await counts_deliveries(context)):
        return judgement_of(exchange, Verdict.FAIL, but="the document is back")
    if moved:
        return inconclusive("the observation counts deliveries, not documents")
    return judgement_of(exchange, Verdict.PASS, but="no change")


def _created_and_updated(context: RunContext) -> tuple[Event, Event]:
    documents, resource = context.events.documents(), resource_of(context)
    return documents.event(f"{resource}.created"), documents.event(f"{resource}.updated")


async def _send(context: RunContext, *events: Event) -> list[Exchange]:
    return [await context.send(event) for event in events]


def _refused_among(exchanges: Sequence[Exchange]) -> Exchange | None:
    return next((each for each in exchanges if not each.is_accepted), None)


_WHY = "A retry comes minutes after later events, so that nobody can rely on the order."

REVERSED = Group(
    checks=(
        Check(
            id="order.reversed",
            level=Level.SHOULD,
            sends="an update before its document's creation",
            expects="2xx, the same end state as in order",
            why=_WHY,
            fix=fixes.UPSERT,
        ),
    ),
    procedure=confirmed(_reversed),
)

AFTER_DELETION = Group(
    checks=(
        Check(
            id="order.after_deletion",
            level=Level.SHOULD,
            sends="a late update after the deletion",
            expects="2xx, no change",
            why=_WHY,
            fix=fixes.KEEP_TOMBSTONE,
        ),
    ),
    procedure=confirmed(_after_deletion),
)
