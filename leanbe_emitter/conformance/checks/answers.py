"""Answers of the receiver: how fast they came, and what they gave away."""

import re
from collections.abc import Callable, Mapping, Sequence

from leanbe_emitter.conformance import fixes
from leanbe_emitter.conformance.check import Check, Need
from leanbe_emitter.conformance.client import SHORTEST_SECRET, Exchange
from leanbe_emitter.conformance.report import Judgement, Level, Verdict
from leanbe_emitter.conformance.run_context import Group, RunContext
from leanbe_emitter.errors import InvalidSignature
from leanbe_emitter.wire.explain.received_request import signed_text_of
from leanbe_emitter.wire.faults.bodies import WRONG_SECRET
from leanbe_emitter.wire.signing import sign_text


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


_STACK_TRACE = re.compile(
    r"""
      Traceback\ \(most\ recent\ call\ last\)      # Python
    | \bat\ [^\n]{1,200}:\d+:\d+\)?                # JavaScript
    | \bat\ [\w.$]+\(\w+\.(?:java|kt):\d+\)        # Java
    | \bgoroutine\ \d+\ \[                         # Go
    | \.rb:\d+:in\                                 # Ruby
    | \#\d+\ [^\n]{1,200}\.php\(\d+\)              # PHP
    | \bin\ [^\n]{1,200}\.cs:line\ \d+             # C#
    """,
    re.VERBOSE,
)

#: Says whether the text of an answer gives something away.
Leaks = Callable[[RunContext, Exchange, str], bool]


async def judge_leaks(context: RunContext, checks: Sequence[Check]) -> None:
    """Search the answers to the forgeries of this run; without any, send some first."""
    if not context.refused:
        await _send_forgeries(context)
    for check in checks:
        context.judge(check, _judged(context, _LEAKS[check.id]))


async def _send_forgeries(context: RunContext) -> None:
    factory, sealer = context.factory, context.sealer
    for request in (
        sealer.unsigned(factory.fresh()),
        sealer.request(factory.fresh(), secret=WRONG_SECRET),
        sealer.with_signature(factory.fresh(), lambda _: None),
        sealer.raw(b"{"),
    ):
        await context.send_forgery(request)


def _judged(context: RunContext, leaks: Leaks) -> Judgement:
    for exchange in context.refused:
        text = _text_of(exchange)
        if text and leaks(context, exchange, text):
            return Judgement(
                verdict=Verdict.FAIL,
                got=f"it stands in the answer {exchange.status} to a forgery",
                curl=exchange.curl,
            )
    return Judgement(verdict=Verdict.PASS, got=f"{len(context.refused)} answers without it")


def _text_of(exchange: Exchange) -> str:
    if exchange.answer is None:
        return ""
    headers = "\n".join(value for _, value in exchange.answer.headers)
    return f"{headers}\n{exchange.answer.body.decode(errors='replace')}"


def _leaks_secret(context: RunContext, _: Exchange, text: str) -> bool:
    return len(context.secret) >= SHORTEST_SECRET and context.secret in text


def _leaks_signature(context: RunContext, exchange: Exchange, text: str) -> bool:
    assumptions = context.events.assumptions
    try:
        signed = signed_text_of(exchange.request.body, assumptions)
    except InvalidSignature:
        return False
    return sign_text(signed, context.secret, scheme=assumptions.signature_scheme) in text


def _leaks_stack(_stage: RunContext, _exchange: Exchange, text: str) -> bool:
    return _STACK_TRACE.search(text) is not None


_LEAKS: Mapping[str, Leaks] = {
    "leak.secret": _leaks_secret,
    "leak.expected_signature": _leaks_signature,
    "leak.stack_trace": _leaks_stack,
}


LATENCY = Group(
    checks=(
        Check(
            id="latency.answer",
            level=Level.SHOULD,
            sends="every valid request of this run",
            expects="an answer before the deadline",
            why="Nobody knows how long Leanbe waits; other services wait 5 seconds.",
            fix=fixes.ANSWER_FIRST,
            needs=frozenset({Need.NETWORK}),
        ),
    ),
    procedure=judge_latency,
)

LEAK = Group(
    checks=(
        Check(
            id="leak.secret",
            level=Level.MUST,
            sends="every forged request of this run",
            expects="answers without the secret",
            why="Anybody who sends a forgery reads the secret, and can sign.",
            fix=fixes.ANSWER_LITTLE,
        ),
        Check(
            id="leak.expected_signature",
            level=Level.MUST,
            sends="every forged request of this run",
            expects="answers without the right signature",
            why="Anybody who sends a forgery reads how it should be signed.",
            fix=fixes.ANSWER_LITTLE,
        ),
        Check(
            id="leak.stack_trace",
            level=Level.SHOULD,
            sends="every forged request of this run",
            expects="answers without a stack trace",
            why="A stack trace shows paths, versions and code.",
            fix=fixes.NO_DEBUG,
        ),
    ),
    procedure=judge_leaks,
)
