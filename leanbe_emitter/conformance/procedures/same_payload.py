"""A creation and the deletion right after it: the same payload, and so the same signature.

A receiver that knows duplicates by their signature takes the deletion for one. That a deletion has
an effect at all is seen on another document first, whose deletion has another payload.
"""

from collections.abc import Sequence
from dataclasses import replace

from leanbe_emitter.conformance.checks import Check
from leanbe_emitter.conformance.judging import judge_refused, judgement_of
from leanbe_emitter.conformance.movement import movement
from leanbe_emitter.conformance.procedures.confirmed_failures import confirmed_failure
from leanbe_emitter.conformance.procedures.distinct_events import resource_of
from leanbe_emitter.conformance.run_context import RunContext
from leanbe_emitter.conformance.verdicts import Judgement, Verdict


async def send_same_payload(context: RunContext, checks: Sequence[Check]) -> None:
    """Send the creations of two documents, and then their deletions."""
    for check in checks:
        context.judge(check, await confirmed_failure(_performed, context))


async def _performed(context: RunContext) -> Judgement:
    resource = resource_of(context)
    one, other = context.events.documents(), context.events.documents()
    created = one.event(f"{resource}.created")
    deleted = replace(one.event(f"{resource}.deleted"), payload=created.payload)
    await context.send(created)
    await context.send(other.event(f"{resource}.created"))
    before = await context.at_rest()
    await context.send(other.event(f"{resource}.deleted"))
    between = await context.at_rest()
    exchange = await context.send(deleted)
    after = await context.at_rest()
    if not exchange.is_accepted:
        return judge_refused(context, exchange)
    if context.effects is None or not context.effective:
        return Judgement(verdict=Verdict.INCONCLUSIVE, got=context.why_unobserved)
    usual = movement(before, between)
    if not usual:
        return Judgement(verdict=Verdict.INCONCLUSIVE, got="a deletion has no effect here")
    if movement(between, after):
        return judgement_of(exchange, Verdict.PASS, but="another effect")
    return judgement_of(exchange, Verdict.FAIL, but="no effect, as if it were a duplicate")
