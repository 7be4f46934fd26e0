"""The report of a run: the result of every check, and what the results come to together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from leanbe_emitter.wire.stringify import JSON


class Level(StrEnum):
    """How much a check counts."""

    #: Leanbe sends such requests, or anybody can forge: a failure makes the run fail.
    MUST = "must"
    #: A failure loses or breaks something sooner or later.
    SHOULD = "should"
    #: The report tells what the receiver does; neither answer is wrong.
    TOLD = "told"


class Verdict(StrEnum):
    """The result of a check."""

    #: The receiver does what the check expects.
    PASS = "pass"  # noqa: S105 - a verdict
    #: The receiver does something else.
    FAIL = "fail"
    #: The receiver refuses as it should, but by crashing (5xx).
    WARN = "warn"
    #: Nothing is proven: no observation, a rate limit, an observation that changes by itself.
    INCONCLUSIVE = "inconclusive"
    #: The check was not made.
    SKIPPED = "skipped"
    #: The receiver did not answer.
    ERROR = "error"
    #: A check of the level ``told`` was made.
    TOLD = "told"


#: The verdicts that say that something is wrong with the receiver.
FINDINGS = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.ERROR})


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A verdict with its evidence.

    Attributes:
        verdict: the verdict.
        got: what came, in words.
        curl: the command that repeats the request; empty if one command cannot.
    """

    verdict: Verdict
    got: str
    curl: str = field(default="", repr=False)


def inconclusive(reason: str) -> Judgement:
    """Return the judgement that nothing is proven, and why."""
    return Judgement(verdict=Verdict.INCONCLUSIVE, got=reason)


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of one check.

    Attributes:
        id: the check's id.
        level: how much it counts.
        verdict: what it came to.
        sent: what was sent, in words.
        expected: what should come, in words.
        got: what came, in words.
        why: why it matters.
        cause: a mistake that explains this finding and others; empty if none is known.
        fix: the line to change, by language; empty without a finding.
        languages: the languages in which people make this mistake; empty if in all.
        curl: the command that repeats the request; empty without a finding, or if one command
            cannot.
    """

    id: str
    level: Level
    verdict: Verdict
    sent: str
    expected: str
    got: str
    why: str
    cause: str = ""
    fix: Mapping[str, str] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    curl: str = field(default="", repr=False)

    @property
    def is_finding(self) -> bool:
        """Whether it says that something is wrong with the receiver."""
        return self.verdict in FINDINGS

    @property
    def is_graded(self) -> bool:
        """Whether it counts, and is not told only."""
        return self.level is not Level.TOLD

    @property
    def group(self) -> str:
        """The first word of its id: ``signature``."""
        return self.id.partition(".")[0]

    def document(self) -> dict[str, JSON]:
        """Return it as JSON."""
        return {
            "id": self.id,
            "level": self.level.value,
            "verdict": self.verdict.value,
            "sent": self.sent,
            "expected": self.expected,
            "got": self.got,
            "why": self.why,
            "cause": self.cause,
            "fix": dict(self.fix),
            "curl": self.curl,
        }


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
