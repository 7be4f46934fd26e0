"""The same bytes again: they have one effect together.

The checks are performed together first: three events have to move the observation by three times
what one moves it. Only if they do not, each is performed alone, and again if it fails, so that a
change by somebody else is not taken for a second effect.

A status alone proves none of it: a receiver may answer 204 and store a duplicate, too.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

from leanbe_emitter.conformance import fixes
from leanbe_emitter.conformance.check import Check, Need, judgement_of
from leanbe_emitter.conformance.client import Exchange
from leanbe_emitter.conformance.observation import (
    Movement,
    along,
    movement,
    movement_in_words,
    times,
)
from leanbe_emitter.conformance.report import Judgement, Level, Verdict, inconclusive
from leanbe_emitter.conformance.run_context import Effective, Group, RunContext, confirmed_failure
from leanbe_emitter.conformance.sample_requests import SampleRequest
from leanbe_emitter.delivery.network.transport import WireFault

_AT_ONCE = 8


@dataclass(frozen=True, kw_only=True)
class DuplicateCheck(Check):
    """A check that sends the same bytes more than once.

    Attributes:
        deliver: sends them, and returns the exchanges that should be accepted.
        also_allowed: statuses that are right, too.
    """

    deliver: Callable[[RunContext, SampleRequest], Awaitable[Sequence[Exchange]]]
    also_allowed: frozenset[int] = frozenset()


async def again(context: RunContext, request: SampleRequest) -> Sequence[Exchange]:
    """Send the bytes twice, one after the other."""
    return [await context.send_valid(request), await context.send_valid(request)]


async def at_once(context: RunContext, request: SampleRequest) -> Sequence[Exchange]:
    """Send the bytes eight times at the same time."""
    return await context.client.send_at_once([request] * _AT_ONCE)


async def hung_up(context: RunContext, request: SampleRequest) -> Sequence[Exchange]:
    """Send the bytes and hang up; send them again."""
    await context.client.send(request.with_wire_fault(WireFault(hang_up="close")))
    return [await context.send_valid(request)]


async def send_duplicates(context: RunContext, checks: Sequence[Check]) -> None:
    """Send the duplicates of each check."""
    wanted = [check for check in checks if isinstance(check, DuplicateCheck)]
    if not context.shows_effects:
        for check in wanted:
            context.judge(check, await _by_status(context, check))
        return
    if await _are_right_together(context, wanted):
        return
    for check in wanted:
        context.judge(check, await confirmed_failure(partial(_alone, check), context))


async def _by_status(context: RunContext, check: DuplicateCheck) -> Judgement:
    exchanges = await check.deliver(context, context.sealer.request(context.factory.fresh()))
    wrong = _wrong_among(check, exchanges)
    if wrong is not None:
        return judgement_of(wrong, Verdict.FAIL)
    return inconclusive(context.why_unobserved)


async def _are_right_together(context: RunContext, checks: Sequence[DuplicateCheck]) -> bool:
    before = await context.at_rest()
    judgements: dict[str, Judgement] = {}
    for check, effective in product(checks, context.effective):
        exchanges = await check.deliver(context, _shot(context, effective))
        if _wrong_among(check, exchanges) is not None:
            return False
        judgements[check.id] = judgement_of(exchanges[-1], Verdict.PASS, but="one effect")
    expected: dict[str, float] = {}
    for effective in context.effective:
        for path, by in times(effective.single, len(checks)).items():
            expected[path] = expected.get(path, 0) + by
    if along(movement(before, await context.at_rest()), expected) != expected:
        return False
    for check in checks:
        context.judge(check, judgements[check.id])
    return True


async def _alone(check: DuplicateCheck, context: RunContext) -> Judgement:
    judgement = inconclusive(context.why_unobserved)
    for effective in context.effective:
        judgement = await _with_event(context, check, effective)
        if judgement.verdict is not Verdict.PASS:
            return judgement
    return judgement


async def _with_event(
    context: RunContext, check: DuplicateCheck, effective: Effective
) -> Judgement:
    single = await _single(context, effective)
    if not single:
        return inconclusive("one delivery never moves the observation alike")
    before = await context.at_rest()
    exchanges = await check.deliver(context, _shot(context, effective))
    moved = along(movement(before, await context.at_rest()), single)
    wrong = _wrong_among(check, exchanges)
    if wrong is not None:
        return judgement_of(wrong, Verdict.FAIL)
    if moved == single:
        return judgement_of(exchanges[-1], Verdict.PASS, but="one effect")
    return judgement_of(exchanges[-1], Verdict.FAIL, but=_more(moved, single))


async def _single(context: RunContext, effective: Effective) -> Movement:
    """Return what each single delivery moves alike: a clock in the observation does not."""
    before = await context.at_rest()
    await context.send_valid(_shot(context, effective))
    moved = movement(before, await context.at_rest())
    return {path: by for path, by in effective.single.items() if moved.get(path) == by}


def _shot(context: RunContext, effective: Effective) -> SampleRequest:
    return context.sealer.request(context.events.plain(effective.name))


def _wrong_among(check: DuplicateCheck, exchanges: Sequence[Exchange]) -> Exchange | None:
    return next(
        (
            each
            for each in exchanges
            if not each.is_accepted and each.status not in check.also_allowed
        ),
        None,
    )


def _more(moved: Movement, single: Movement) -> str:
    return f"moved {movement_in_words(moved)}; one delivery moves {movement_in_words(single)}"


_ONE_EFFECT = "2xx, one effect"
_TWICE = "Leanbe may send an event again: after a timeout, a deployment, a lost answer."

DUPLICATES = Group(
    checks=(
        DuplicateCheck(
            id="idempotency.duplicate",
            level=Level.MUST,
            sends="an event, and the same bytes again",
            expects=_ONE_EFFECT,
            why=_TWICE,
            fix=fixes.INSERT_FIRST,
            deliver=again,
        ),
        DuplicateCheck(
            id="idempotency.concurrent",
            level=Level.MUST,
            sends="the same bytes 8 times at once",
            expects="2xx, 409 or 429, one effect",
            why="Two processes that look first and insert then both find nothing.",
            fix=fixes.INSERT_FIRST,
            needs=frozenset({Need.NETWORK}),
            deliver=at_once,
            also_allowed=frozenset({409, 429}),
        ),
        DuplicateCheck(
            id="idempotency.after_hangup",
            level=Level.SHOULD,
            sends="an event, hung up before the answer, and the same bytes again",
            expects=_ONE_EFFECT,
            why="A sender that got no answer sends again, while the first is still at work.",
            fix=fixes.INSERT_FIRST,
            needs=frozenset({Need.NETWORK}),
            deliver=hung_up,
        ),
    ),
    procedure=send_duplicates,
)
