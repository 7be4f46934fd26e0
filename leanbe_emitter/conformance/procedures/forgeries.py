"""Requests that the receiver should refuse: they are sent together, and observed once.

Only if something changed are they sent again, one by one, to find those that had an effect. An
observation costs most of a run's time, and nearly all receivers refuse nearly all forgeries.
"""

from collections.abc import Mapping, Sequence

from leanbe_emitter.conformance.checks import Check, RequestCheck
from leanbe_emitter.conformance.client import Exchange
from leanbe_emitter.conformance.judging import judge_forgery
from leanbe_emitter.conformance.run_context import RunContext
from leanbe_emitter.conformance.verdicts import Level

_Found = Mapping[str, tuple[Exchange, bool | None]]


async def send_forgeries(context: RunContext, checks: Sequence[Check]) -> None:
    """Send the forgery of each check."""
    forgeries = [check for check in checks if isinstance(check, RequestCheck)]
    graded = [check for check in forgeries if check.level is not Level.TOLD]
    told = [check for check in forgeries if check.level is Level.TOLD]
    found = await _together(context, graded)
    if any(has_effect for _, has_effect in found.values()):
        found = await _one_by_one(context, graded)
    # An effect of these is no finding, and must not look like an effect of the others.
    told_of = {check.id: (await _send(context, check), None) for check in told}
    for check in forgeries:
        exchange, has_effect = (found | told_of)[check.id]
        context.judge(check, judge_forgery(exchange, has_effect=has_effect))


async def _together(
    context: RunContext, checks: Sequence[RequestCheck]
) -> dict[str, tuple[Exchange, bool | None]]:
    before = await context.at_rest()
    exchanges = [await _send(context, check) for check in checks]
    has_effect = await _has_effect(context, before)
    return {
        check.id: (exchange, has_effect) for check, exchange in zip(checks, exchanges, strict=True)
    }


async def _one_by_one(
    context: RunContext, checks: Sequence[RequestCheck]
) -> dict[str, tuple[Exchange, bool | None]]:
    found: dict[str, tuple[Exchange, bool | None]] = {}
    for check in checks:
        before = await context.at_rest()
        exchange = await _send(context, check)
        found[check.id] = (exchange, await _has_effect(context, before))
    return found


async def _send(context: RunContext, check: RequestCheck) -> Exchange:
    return await context.send_forgery(check.make(context.factory))


async def _has_effect(context: RunContext, before: object) -> bool | None:
    """Return whether something changed; None if nothing would show an effect."""
    if context.effects is None or not context.effective:
        return None
    return bool(await context.at_rest() != before)
