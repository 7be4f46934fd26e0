"""A failure that only effects show has to come twice: somebody else may change the observation."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from leanbe_emitter.conformance.run_context import RunContext
from leanbe_emitter.conformance.verdicts import Judgement, Verdict


async def confirmed_failure(
    procedure: Callable[[RunContext], Awaitable[Judgement]], context: RunContext
) -> Judgement:
    """Perform a check; if it fails, perform it again, and return a failure only if both fail."""
    first = await procedure(context)
    if first.verdict is not Verdict.FAIL:
        return first
    second = await procedure(context)
    if second.verdict is Verdict.FAIL:
        return second
    return replace(second, verdict=Verdict.INCONCLUSIVE, got=f"{first.got}; then {second.got}")
