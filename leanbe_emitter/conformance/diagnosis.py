"""The mistake of a receiver that refuses the plainest event.

A signature in its answer tells the mistake. Otherwise the receiver is asked: events are signed as
each known mistake would sign them, and the one that it accepts names its mistake.
"""

from leanbe_emitter.clock import Clock
from leanbe_emitter.conformance.client import Exchange
from leanbe_emitter.conformance.refusal_causes import refusal_in_words
from leanbe_emitter.conformance.report import Diagnosis
from leanbe_emitter.conformance.run import Plan
from leanbe_emitter.delivery.attempt.sender import Sender
from leanbe_emitter.delivery.network.transport import Transport
from leanbe_emitter.delivery.probing.conversation import sample_events
from leanbe_emitter.delivery.probing.prober import prober_of
from leanbe_emitter.delivery.queue_types import WebhookSettings
from leanbe_emitter.ids import Ids
from leanbe_emitter.target_rules import TargetRules
from leanbe_emitter.wire.assumptions.parsing import changed_assumptions
from leanbe_emitter.wire.explain.explainer import Explanation, Verdict, explain
from leanbe_emitter.wire.explain.probe import ProbeResult

#: Answers that are about signatures, or that say nothing.
_PROBED = frozenset({400, 401, 403, 422, 500})
_BY_ANSWER = "its answer has the signature that this mistake gives"
_NOTHING_FITS = (
    "Check the receiver's secret first. If it hashes the whole body, it can verify nothing: no "
    "body holds its own signature."
)
_BY_PROBE = "accepted an event signed that way; refused the right one"


class Diagnoser:
    """Finds the mistake of one receiver.

    Args:
        plan: the run's.
        transport: sends the requests.
        rules: which targets may be called.
        clock: the source of time.
        ids: the source of ids.
    """

    def __init__(
        self, plan: Plan, *, transport: Transport, rules: TargetRules, clock: Clock, ids: Ids
    ) -> None:
        self._plan = plan
        self._sender = Sender(transport, clock=clock, jitter=None, rules=rules)
        self._clock = clock
        self._ids = ids
        self._assume = changed_assumptions(plan.assumptions)

    async def diagnose(self, exchange: Exchange) -> Diagnosis | None:
        """Return the mistake; None if the answer is about something else, or nothing fits."""
        if exchange.status not in _PROBED:
            return None
        return self._told_by_answer(exchange) or _told_by_probe(await self._probe(), exchange)

    def _told_by_answer(self, exchange: Exchange) -> Diagnosis | None:
        explanation = explain(
            exchange.request.body,
            self._plan.secret,
            answer=exchange.answer.body if exchange.answer is not None else b"",
            lang=self._plan.language,
            headers=exchange.request.headers,
            assume=self._assume,
        )
        if explanation.verdict is not Verdict.MISTAKE_FOUND:
            return None
        return _of_mistakes(explanation, proof=_BY_ANSWER)

    async def _probe(self) -> ProbeResult:
        endpoint, now = self._plan.endpoint, self._clock.now()
        prober = prober_of(
            WebhookSettings(
                url=endpoint.url,
                secret=self._plan.secret,
                ca_file=endpoint.tls.ca_file,
                insecure=endpoint.tls.insecure,
                assumptions={},
            ),
            settled_by=self._sender.send,
            clock=self._clock,
            ids=self._ids,
            headers=endpoint.headers,
            assume=self._assume,
            lang=self._plan.language,
        )
        events = sample_events(
            product={"_id": self._ids.object_id(now), "name": "Acme"},
            ids=self._ids,
            now=now,
            assumptions=self._plan.assumptions,
        )
        return await prober.probe(events)


def _told_by_probe(result: ProbeResult, exchange: Exchange) -> Diagnosis:
    careful = ""
    if result.accepted:
        events = "an event" if len(result.accepted) == 1 else f"{len(result.accepted)} events"
        careful = f"it accepted {events} of the probe, and may have acted on them"
    if result.verdict is Verdict.NAMED:
        return _of_mistakes(result, proof=_BY_PROBE, careful=careful, requests=result.requests)
    return Diagnosis(
        what=refusal_in_words(exchange),
        proof=result.summary,
        careful=careful or _NOTHING_FITS,
        requests=result.requests,
    )


def _of_mistakes(
    explanation: Explanation, *, proof: str, careful: str = "", requests: int = 0
) -> Diagnosis:
    first = explanation.mistakes[0]
    return Diagnosis(
        what=" ".join(each.what for each in explanation.mistakes),
        proof=proof,
        fix={language.value: line for language, line in first.fixes.items()},
        languages=[language.value for language in first.languages],
        careful=careful,
        requests=requests,
    )
