"""The controls, which every right receiver accepts: the plainest event, and all 22 as one story."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leanbe_emitter.conformance import fixes
from leanbe_emitter.conformance.check import Check
from leanbe_emitter.conformance.observation import movement
from leanbe_emitter.conformance.report import Level
from leanbe_emitter.conformance.run_context import ControlRefused, Effective, Group, RunContext
from leanbe_emitter.wire.samples.sample_payloads import LIFECYCLE_ORDER

_NO_EFFECT = "no event has an effect that the observation shows as a number or as a list's length"


@dataclass(frozen=True, kw_only=True)
class StoryCheck(Check):
    """A check of one event of the story.

    Attributes:
        event: the event's name.
    """

    event: str


async def open_gate(context: RunContext, checks: Sequence[Check]) -> None:
    """Send the plain control.

    Raises:
        ControlRefused: the receiver refuses it.
    """
    plain = context.events.plain()
    exchange = await context.send(plain)
    if not exchange.is_accepted:
        raise ControlRefused(exchange)
    await learn(context, plain.name)
    for check in checks:
        context.judge_valid(check, exchange)


async def send_story(context: RunContext, checks: Sequence[Check]) -> None:
    """Send the events in an order in which they can happen to one set of documents."""
    by_event = {check.event: check for check in checks if isinstance(check, StoryCheck)}
    documents = context.events.documents()
    for name in LIFECYCLE_ORDER[: _last_of(by_event)]:
        exchange = await context.send(documents.sample(name))
        if name in by_event:
            context.judge_valid(by_event[name], exchange)
        await context.control_if_due()


async def find_effective(context: RunContext) -> None:
    """Look for an event that has an effect, if the plain control has none."""
    if context.effects is None or context.effective:
        return
    before = context.effects.value
    for name in LIFECYCLE_ORDER:
        await context.send(context.events.plain(name))
    await context.effects.after_change()
    if await context.at_rest() == before:
        context.why_unobserved = _NO_EFFECT
        return
    for name in LIFECYCLE_ORDER:
        await context.send(context.events.plain(name))
        await learn(context, name)
        if context.effective:
            return
    context.why_unobserved = _NO_EFFECT


async def learn(context: RunContext, name: str) -> None:
    """Note by what the event that was just sent moves the observation."""
    if context.effects is None:
        return
    before = context.effects.value
    await context.effects.after_change()
    single = movement(before, await context.at_rest())
    if single:
        context.effective = (*context.effective, Effective(name=name, single=single))


def _last_of(wanted: Iterable[str]) -> int:
    return max((LIFECYCLE_ORDER.index(name) + 1 for name in wanted), default=0)


#: Everything else waits for this one: the plainest event that there is.
GATE = Check(
    id="control.plain",
    level=Level.MUST,
    sends="idea.created in ASCII, with integers only, rightly signed",
    expects="2xx",
    why="If the plainest event is refused, all events are.",
    fix=fixes.HASH_AS_IT_CAME,
)

PLAIN = Group(checks=(GATE,), procedure=open_gate)

STORY = Group(
    checks=tuple(
        StoryCheck(
            id=f"control.event[{name}]",
            level=Level.MUST,
            sends=f"a sample of {name}",
            expects="2xx",
            why="Leanbe sends all 22 events to the one URL, and tries refused ones again.",
            fix=fixes.ACCEPT_UNKNOWN,
            event=name,
        )
        for name in LIFECYCLE_ORDER
    ),
    procedure=send_story,
)
