"""A creation and the deletion right after it: the same payload, and so the same signature.

A receiver that knows duplicates by their signature takes the deletion for one. If it has no effect,
another document shows whether any deletion has one: there, the deletion has another payload.
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
    """Send a creation, and the deletion with the same payload."""
    for check in checks:
        context.judge(check, await confirmed_failure(_performed, context))


async def _performed(context: RunContext) -> Judgement:
    resource, documents = resource_of(context), context.events.documents()
    created = documents.event(f"{resource}.created")
    deleted = replace(documents.event(f"{resource}.deleted"), payload=created.payload)
    await context.send(created)
    before = await context.at_rest()
    exchange = await context.send(deleted)
    after = await context.at_rest()
    if not exchange.is_accepted:
        return judge_refused(context, exchange)
    if context.effects is None or not context.effective:
        return Judgement(verdict=Verdict.INCONCLUSIVE, got=context.why_unobserved)
    if movement(before, after):
        return judgement_of(exchange, Verdict.PASS, but="another effect")
    if not await _has_effect(context, resource):
        return Judgement(verdict=Verdict.INCONCLUSIVE, got="a deletion has no effect here")
    return judgement_of(exchange, Verdict.FAIL, but="no effect, as if it were a duplicate")


async def _has_effect(context: RunContext, resource: str) -> bool:
    """Return whether a deletion has an effect whose payload is another than the creation's."""
    documents = context.events.documents()
    await context.send(documents.event(f"{resource}.created"))
    before = await context.at_rest()
    await context.send(documents.event(f"{resource}.deleted"))
    return bool(movement(before, await context.at_rest()))
