"""A body of 100 000 levels: any answer is right, if the receiver lives on."""

from collections.abc import Sequence

from leanbe_emitter.conformance.checks import Check
from leanbe_emitter.conformance.judging import judgement_of
from leanbe_emitter.conformance.run_context import ControlRefused, RunContext
from leanbe_emitter.conformance.verdicts import Judgement, Verdict

_LEVELS = 100_000
_BODY = b'{"payload":' + b"[" * _LEVELS + b"]" * _LEVELS + b',"event":"idea.created"}'


async def send_nesting(context: RunContext, checks: Sequence[Check]) -> None:
    """Send the body between two controls.

    Raises:
        ControlRefused: the receiver refuses the second control.
    """
    await context.control()
    exchange = await context.client.send(context.sealer.raw(_BODY))
    after = await context.send(context.events.plain())
    for check in checks:
        if after.is_accepted:
            context.judge(check, judgement_of(exchange, Verdict.PASS))
        else:
            got = f"{exchange.in_words()}; the control after it: {after.in_words()}"
            context.judge(check, Judgement(verdict=Verdict.FAIL, got=got))
    context.confirm()
    if not after.is_accepted:
        raise ControlRefused(after)
