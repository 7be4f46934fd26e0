"""Findings as people are told them: those with one cause are told once."""

from collections.abc import Sequence
from dataclasses import dataclass

from leanbe_emitter.conformance.report import Report
from leanbe_emitter.conformance.verdicts import Level, Result, Verdict
from leanbe_emitter.wire.explain.languages import USUAL, Language

#: How many ids of one finding are named.
_MOST_IDS = 3


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Results with one cause, or a single result.

    Attributes:
        results: the results, the most serious first.
    """

    results: Sequence[Result]

    @property
    def first(self) -> Result:
        """The most serious result."""
        return self.results[0]

    @property
    def title(self) -> str:
        """The ids, as far as they can be told in a line."""
        ids = [each.id for each in self.results]
        shown, more = ids[:_MOST_IDS], len(ids) - _MOST_IDS
        return ", ".join(shown) + (f" and {more} more" if more > 0 else "")

    @property
    def mark(self) -> str:
        """The verdict, in capitals for a ``must``."""
        word = self.first.verdict.value
        return word.upper() if self.first.level is Level.MUST else word

    @property
    def is_warning(self) -> bool:
        """Whether it does not make the run fail."""
        return self.first.level is not Level.MUST or self.first.verdict is Verdict.WARN

    @property
    def sentence(self) -> str:
        """The mistake, in one sentence."""
        first = self.first
        return first.cause or f"Sent {first.sent}; expected {first.expected}; got {first.got}."

    def fixes(self, language: str | None) -> Sequence[tuple[str, str]]:
        """Return languages' names, each with the line to change.

        Args:
            language: the receiver's language; None for those of the mistake, or the usual ones.
        """
        lines, usual = self.first.fix, [each.value for each in USUAL]
        for wanted in ([language], self.first.languages, usual):
            if known := [each for each in wanted if each is not None and each in lines]:
                return [(Language(each).label, lines[each]) for each in known]
        return []


def findings_of(report: Report) -> Sequence[Finding]:
    """Return the findings, musts first; results with one cause are one finding."""
    groups: dict[str, list[Result]] = {}
    for each in report.findings:
        groups.setdefault(each.cause or each.id, []).append(each)
    return [Finding(results=results) for results in groups.values()]
