"""How fast the receiver answered, and what its answers gave away."""

from leanbe_emitter.conformance import fixes
from leanbe_emitter.conformance.checks import Check, Group, Need
from leanbe_emitter.conformance.procedures.latency import judge_latency
from leanbe_emitter.conformance.procedures.leak import judge_leaks
from leanbe_emitter.conformance.verdicts import Level

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
