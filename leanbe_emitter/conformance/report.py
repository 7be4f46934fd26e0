"""The report of a run: every result, and what they come to together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from leanbe_emitter.conformance.verdicts import FINDINGS, Level, Result, Verdict
from leanbe_emitter.wire.stringify import JSON

#: What no request can show.
NOT_TESTABLE = (
    "Not testable from outside: whether digests are compared in constant time, how the secret is "
    "stored, and what a failure between marking an event and handling it loses. An old request "
    "sent again is accepted by every receiver: no signature covers event and triggeredAt."
)


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """The receiver's mistake, if the plainest event is refused.

    Attributes:
        what: the mistake in words.
        proof: what proves it.
        fix: the line to change, by language.
        languages: the languages whose lines are shown first.
        careful: what else to know; empty if nothing.
        requests: how many requests it took.
    """

    what: str
    proof: str = ""
    fix: Mapping[str, str] = field(default_factory=dict)
    languages: Sequence[str] = ()
    careful: str = ""
    requests: int = 0

    def document(self) -> dict[str, JSON]:
        """Return it as JSON."""
        return {
            "what": self.what,
            "proof": self.proof,
            "fix": dict(self.fix),
            "careful": self.careful,
        }


@dataclass(frozen=True, kw_only=True)
class Report:
    """The findings of a run.

    Attributes:
        url: the receiver's URL.
        seed: repeats the run's ids and tokens.
        requests: how many requests were sent.
        seconds: how long it took.
        results: a result for each check, in the order of the list.
        diagnosis: the receiver's mistake, if the plainest event is refused; else None.
    """

    url: str
    seed: int
    requests: int
    seconds: float
    results: Sequence[Result]
    diagnosis: Diagnosis | None = None

    @property
    def findings(self) -> Sequence[Result]:
        """The results that say that something is wrong, musts first."""
        found = [each for each in self.results if each.is_finding]
        return sorted(found, key=lambda each: (each.level is not Level.MUST, _rank(each)))

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each verdict came."""
        counted = Counter(each.verdict for each in self.results)
        return {verdict.value: counted[verdict] for verdict in Verdict}

    def is_success(self, *, strict: bool = False) -> bool:
        """Return whether no ``must`` failed; if strict, whether nothing is wrong or unproven."""
        if strict:
            unwanted = FINDINGS | {Verdict.INCONCLUSIVE}
            return not any(each.verdict in unwanted for each in self.results)
        failed = {Verdict.FAIL, Verdict.ERROR}
        return not any(each.verdict in failed and each.level is Level.MUST for each in self.results)

    def document(self) -> dict[str, JSON]:
        """Return it as JSON."""
        return {
            "url": self.url,
            "seed": self.seed,
            "result": "passed" if self.is_success() else "failed",
            "requests": self.requests,
            "seconds": round(self.seconds, 3),
            "counts": dict(self.counts),
            "diagnosis": None if self.diagnosis is None else self.diagnosis.document(),
            "checks": [each.document() for each in self.results],
        }


def _rank(result: Result) -> int:
    return (Verdict.FAIL, Verdict.ERROR, Verdict.WARN).index(result.verdict)
