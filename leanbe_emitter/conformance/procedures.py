"""Groups of checks with their procedures, and the procedures that several groups share.

The checks of a group are performed together: one function sends their requests and judges each.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from leanbe_emitter.conformance.check import Check, RequestCheck
from leanbe_emitter.conformance.run_context import RunContext
from leanbe_emitter.conformance.verdicts import Judgement, Verdict


@dataclass(frozen=True, kw_only=True)
class Group:
    """Checks that are performed together.

    Attributes:
        checks: the checks, in the order of the report.
        procedure: sends the requests of the wanted checks, and judges each check.
    """

    checks: Sequence[Check]
    procedure: Callable[[RunContext, Sequence[Check]], Awaitable[None]]


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


async def send_valid_requests(context: RunContext, checks: Sequence[Check]) -> None:
    """Send the request of each check."""
    for check in checks:
        assert isinstance(check, RequestCheck)  # noqa: S101 - the group has no others
        await context.control_if_due()
        exchange = await context.send_valid(check.make(context.factory))
        context.judge_valid(check, exchange)
