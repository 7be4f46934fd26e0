"""Events that a receiver may take for duplicates: another event, or a later one, of one document.

The titles hold tokens. If the observation shows a token of an update alone, it has to show it as
well when the update follows another event of its document. If it shows no titles, but counts
deliveries, the count tells. Otherwise nothing is proven: a receiver that stores one row for each
document looks the same as one that drops the update.

A deletion right after the creation has the same payload, and so the same signature. A receiver that
knows duplicates by their signature takes it for one. If it has no effect, another document shows
whether any deletion has one: there, the deletion has another payload.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from leanbe_emitter.conformance import fixes
from leanbe_emitter.conformance.check import Check, judgement_of
from leanbe_emitter.conformance.client import Exchange
from leanbe_emitter.conformance.events import Event
from leanbe_emitter.conformance.observation import movement, shows
from leanbe_emitter.conformance.report import Judgement, Level, Verdict, inconclusive
from leanbe_emitter.conformance.run_context import Group, RunContext, confirmed
from leanbe_emitter.wire.event_names import event_kind
from leanbe_emitter.wire.stringify import JSON

_UPDATED = frozenset({"idea", "customer", "backlogItem", "okr", "announcement"})
#: How many deliveries are sent, and how many count if the second update is dropped.
_ALL, _WITHOUT_LAST = 6, 5


@dataclass(frozen=True, kw_only=True)
class _Sent:
    """The last event about a document that was sent, with its exchange."""

    event: Event
    exchange: Exchange


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """The last value of the observation.

    Attributes:
        value: the value.
        count: how many deliveries it counts; 0 if it counts something else.
        alone: the token of the update without another event.
    """

    value: JSON
    count: int
    alone: str


def resource_of(context: RunContext) -> str:
    """Return a resource whose creation has an effect, and which has updates."""
    name = event_kind(context.factory.event).resource
    return name if name in _UPDATED else "idea"


async def send_distinct_events(context: RunContext, checks: Sequence[Check]) -> None:
    """Send a creation and an update; an update alone; a creation and two updates."""
    sent, seen = await _performed(context)
    for check in checks:
        context.judge(check, _judged(context, check.id, sent[check.id], seen))


async def counts_deliveries(context: RunContext) -> bool:
    """Return whether the observation counts deliveries, and not documents."""
    if context.counts_deliveries is None:
        await _performed(context)
    return bool(context.counts_deliveries)


async def _performed(context: RunContext) -> tuple[Mapping[str, _Sent], _Seen]:
    resource = resource_of(context)
    created, updated = f"{resource}.created", f"{resource}.updated"
    before = await context.at_rest()
    other = await _story(context, created, updated)
    alone = await _story(context, updated)
    later = await _story(context, created, updated, updated)
    value = await context.at_rest()
    count = _count(context, before, value)
    context.counts_deliveries = count in {_ALL, _WITHOUT_LAST}
    sent = {"idempotency.other_event": other, "idempotency.same_event_later": later}
    return sent, _Seen(value=value, count=count, alone=alone.event.token)


async def _story(context: RunContext, first: str, *others: str) -> _Sent:
    """Send events about one new document; return the first that is refused, or the last."""
    documents = context.events.documents()
    sent = await _sent(context, documents.event(first))
    for name in others:
        if sent.exchange.is_accepted:
            sent = await _sent(context, documents.event(name))
    return sent


async def _sent(context: RunContext, event: Event) -> _Sent:
    return _Sent(event=event, exchange=await context.send(event))


def _judged(context: RunContext, check_id: str, last: _Sent, seen: _Seen) -> Judgement:
    if not last.exchange.is_accepted:
        return context.judgement_of_refused(last.exchange)
    if not context.shows_effects:
        return inconclusive(context.why_unobserved)
    is_later = check_id == "idempotency.same_event_later"
    is_counted = seen.count == _ALL or (seen.count == _WITHOUT_LAST and not is_later)
    if shows(seen.value, last.event.token) or is_counted:
        return judgement_of(last.exchange, Verdict.PASS, but="another effect")
    if shows(seen.value, seen.alone) or seen.count == _WITHOUT_LAST:
        return judgement_of(last.exchange, Verdict.FAIL, but="no effect, as if it were a duplicate")
    return inconclusive("the observation shows neither the titles nor a count of deliveries")


def _count(context: RunContext, before: JSON, value: JSON) -> int:
    """Return how many deliveries some number counted; 0 if none counts deliveries."""
    if not context.effective:
        return 0
    moved, single = movement(before, value), context.effective[0].single
    counts = {moved.get(path, 0) / by for path, by in single.items()}
    return next((count for count in (_ALL, _WITHOUT_LAST) if count in counts), 0)


async def _send_same_payload(context: RunContext) -> Judgement:
    """Send a creation, and the deletion with the same payload."""
    resource, documents = resource_of(context), context.events.documents()
    created = documents.event(f"{resource}.created")
    deleted = replace(documents.event(f"{resource}.deleted"), payload=created.payload)
    await context.send(created)
    before = await context.at_rest()
    exchange = await context.send(deleted)
    after = await context.at_rest()
    if not exchange.is_accepted:
        return context.judgement_of_refused(exchange)
    if not context.shows_effects:
        return inconclusive(context.why_unobserved)
    if movement(before, after):
        return judgement_of(exchange, Verdict.PASS, but="another effect")
    if not await _deletion_has_effect(context, resource):
        return inconclusive("a deletion has no effect here")
    return judgement_of(exchange, Verdict.FAIL, but="no effect, as if it were a duplicate")


async def _deletion_has_effect(context: RunContext, resource: str) -> bool:
    """Return whether a deletion has an effect whose payload is another than the creation's."""
    documents = context.events.documents()
    await context.send(documents.event(f"{resource}.created"))
    before = await context.at_rest()
    await context.send(documents.event(f"{resource}.deleted"))
    return bool(movement(before, await context.at_rest()))


_LOST = "An event that is taken for a duplicate of another one is lost."

DISTINCT = Group(
    checks=(
        Check(
            id="idempotency.other_event",
            level=Level.MUST,
            sends="an update of a document, after its creation",
            expects="2xx, another effect",
            why=_LOST,
            fix=fixes.KEY_OF_EVENT,
        ),
        Check(
            id="idempotency.same_event_later",
            level=Level.MUST,
            sends="a second update of a document",
            expects="2xx, another effect",
            why=_LOST,
            fix=fixes.KEY_OF_EVENT,
        ),
    ),
    procedure=send_distinct_events,
)

SAME_PAYLOAD = Group(
    checks=(
        Check(
            id="idempotency.same_payload",
            level=Level.SHOULD,
            sends="a creation, then the deletion: the same payload, the same signature",
            expects="2xx, another effect",
            why="Two events of one document may have the same payload, and so the same signature.",
            fix=fixes.KEY_OF_EVENT,
        ),
    ),
    procedure=confirmed(_send_same_payload),
)
