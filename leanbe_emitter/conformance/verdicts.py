"""The words of a result: how much a check counts, what it came to, and the result itself."""

from collections.abc import Mapping
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
        cause: a mistake that explains this finding and others; empty if none is known.
        curl: the command that repeats the request; empty if one command cannot.
    """

    verdict: Verdict
    got: str
    cause: str = ""
    curl: str = field(default="", repr=False)


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
