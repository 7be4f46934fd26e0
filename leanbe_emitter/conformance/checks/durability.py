"""A crash right after the answer: the effect is still there, and the event is still known."""

from collections.abc import Sequence

from leanbe_emitter.conformance import fixes
from leanbe_emitter.conformance.check import Check, Need, judgement_of
from leanbe_emitter.conformance.observation import along, movement, movement_in_words
from leanbe_emitter.conformance.report import Judgement, Level, Verdict, inconclusive
from leanbe_emitter.conformance.run_context import Group, RunContext
from leanbe_emitter.conformance.sample_requests import SampleRequest


async def kill_receiver(context: RunContext, checks: Sequence[Check]) -> None:
    """Kill the receiver right after its answer, start it again, and send the same bytes again."""
    await context.control()
    judgements = await _performed(context)
    for check in checks:
        context.judge(check, judgements[check.id])


async def _performed(context: RunContext) -> dict[str, Judgement]:
    killed, duplicate = "durability.killed_after_answer", "durability.duplicate_after_restart"
    if not context.shows_effects or context.process is None:
        nothing = inconclusive(context.why_unobserved)
        return {killed: nothing, duplicate: nothing}
    request = context.sealer.request(context.factory.fresh())
    first = await _killed(context, request)
    if first.verdict is not Verdict.PASS:
        lost = inconclusive("the first effect is lost")
        return {killed: first, duplicate: lost}
    return {killed: first, duplicate: await _again(context, request)}


async def _killed(context: RunContext, request: SampleRequest) -> Judgement:
    assert context.process is not None  # noqa: S101 - checked by the caller
    single = context.effective[0].single
    before = await context.at_rest()
    exchange = await context.send_valid(request)
    await context.process.kill()
    await context.process.start()
    moved = along(movement(before, await context.at_rest()), single)
    if not exchange.is_accepted:
        return judgement_of(exchange, Verdict.FAIL)
    if moved == single:
        return judgement_of(exchange, Verdict.PASS, but="the effect is there")
    return judgement_of(
        exchange, Verdict.FAIL, but=f"but after the new start: {movement_in_words(moved)}"
    )


async def _again(context: RunContext, request: SampleRequest) -> Judgement:
    before = await context.at_rest()
    exchange = await context.send_valid(request)
    moved = along(movement(before, await context.at_rest()), context.effective[0].single)
    if not exchange.is_accepted:
        return judgement_of(exchange, Verdict.FAIL)
    if not moved:
        return judgement_of(exchange, Verdict.PASS, but="no further effect")
    return judgement_of(exchange, Verdict.FAIL, but=f"a second effect: {movement_in_words(moved)}")


_NEEDS = frozenset({Need.NETWORK, Need.OBSERVATION, Need.START})

DURABILITY = Group(
    checks=(
        Check(
            id="durability.killed_after_answer",
            level=Level.SHOULD,
            sends="an event, SIGKILL after the 2xx, a new start",
            expects="the effect is there",
            why="After a 2xx, Leanbe never sends the event again.",
            fix=fixes.COMMIT_THEN_ANSWER,
            needs=_NEEDS,
        ),
        Check(
            id="durability.duplicate_after_restart",
            level=Level.SHOULD,
            sends="the same bytes again after the new start",
            expects="2xx, no further effect",
            why="What was seen has to outlive the process, as what was done does.",
            fix=fixes.INSERT_FIRST,
            needs=_NEEDS,
        ),
    ),
    procedure=kill_receiver,
)
