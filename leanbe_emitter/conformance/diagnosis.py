"""The mistake of a receiver that refuses the plainest event.

A signature in its answer tells the mistake.
"""

from leanbe_emitter.conformance.client import Exchange
from leanbe_emitter.conformance.report import Diagnosis
from leanbe_emitter.conformance.run import Diagnose, Plan
from leanbe_emitter.wire.assumptions.parsing import changed_assumptions
from leanbe_emitter.wire.explain.explainer import Explanation, Verdict, explain

#: Answers that are about signatures, or that say nothing.
_PROBED = frozenset({400, 401, 403, 422, 500})


def diagnoser(plan: Plan, *, language: str | None = None) -> Diagnose:
    """Return the function that finds the mistake of this receiver."""

    async def diagnose(exchange: Exchange) -> Diagnosis | None:
        return _answered(exchange, plan, language) if exchange.status in _PROBED else None

    return diagnose


def _answered(exchange: Exchange, plan: Plan, language: str | None) -> Diagnosis | None:
    """Return the mistake that a signature in the answer tells."""
    explanation = explain(
        exchange.request.body,
        plan.secret,
        answer=exchange.answer.body if exchange.answer is not None else b"",
        lang=language,
        headers=exchange.request.headers,
        assume=changed_assumptions(plan.assumptions),
    )
    if explanation.verdict is not Verdict.MISTAKE_FOUND:
        return None
    return told(explanation, proof="its answer has the signature that this mistake gives")


def told(explanation: Explanation, *, proof: str) -> Diagnosis:
    """Return an explanation of a mistake as a diagnosis."""
    first = explanation.mistakes[0]
    return Diagnosis(
        what=" ".join(each.what for each in explanation.mistakes),
        proof=proof,
        fix={language.value: line for language, line in first.fixes.items()},
        languages=[language.value for language in first.languages],
    )
