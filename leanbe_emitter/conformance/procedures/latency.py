"""How long the slowest valid request of the run took."""

from collections.abc import Sequence

from leanbe_emitter.conformance.checks import Check
from leanbe_emitter.conformance.run_context import RunContext
from leanbe_emitter.conformance.verdicts import Judgement, Verdict


async def judge_latency(context: RunContext, checks: Sequence[Check]) -> None:
    """Judge the answers that came before."""
    slowest = max(context.valid, key=lambda each: each.seconds)
    is_late = slowest.seconds > context.deadline_seconds
    got = f"{slowest.seconds:.2g} s for {slowest.request.event or 'a request'}"
    for check in checks:
        context.judge(
            check,
            Judgement(
                verdict=Verdict.FAIL if is_late else Verdict.PASS,
                got=f"{got}; the deadline is {context.deadline_seconds:g} s" if is_late else got,
                curl=slowest.curl if is_late else "",
            ),
        )
