"""Markdown, as for a job's summary: the findings, and a table of the groups."""

import re
from collections.abc import Iterator

from leanbe_emitter.conformance.formats.findings import Finding, findings_of
from leanbe_emitter.conformance.report import NOT_TESTABLE, Report
from leanbe_emitter.conformance.verdicts import Verdict

_OBEYED = re.compile(r"[\\`*_\[\]<>|#]")


def as_markdown(report: Report, *, language: str | None = None) -> str:
    """Return the report as Markdown."""
    return "\n".join(_lines(report, language)) + "\n"


def _lines(report: Report, language: str | None) -> Iterator[str]:
    yield f"## {_result(report)}: `{report.url}`"
    yield ""
    yield f"{report.requests} requests in {report.seconds:.1f} s, seed {report.seed}."
    yield ""
    if report.diagnosis is not None:
        yield f"**{_plain(report.diagnosis.what)}**"
        yield ""
    for finding in findings_of(report):
        yield from _finding(finding, language)
    yield "| group | pass | fail | warn | error | unproven | skipped |"
    yield "|---|---|---|---|---|---|---|"
    yield from _rows(report)
    yield ""
    yield NOT_TESTABLE


def _result(report: Report) -> str:
    return "Passed" if report.is_success() else "Failed"


def _finding(finding: Finding, language: str | None) -> Iterator[str]:
    yield f"### {finding.mark} {finding.title}"
    yield ""
    yield _plain(finding.sentence)
    yield _plain(finding.first.why)
    yield ""
    for label, line in finding.fixes(language):
        yield f"- {label}: `` {line} ``"
    yield ""


def _rows(report: Report) -> Iterator[str]:
    for group in dict.fromkeys(each.group for each in report.results):
        verdicts = [each.verdict for each in report.results if each.group == group]
        counted = [
            verdicts.count(each)
            for each in (
                Verdict.PASS,
                Verdict.FAIL,
                Verdict.WARN,
                Verdict.ERROR,
                Verdict.INCONCLUSIVE,
                Verdict.SKIPPED,
            )
        ]
        yield f"| {group} | " + " | ".join(str(count or "") for count in counted) + " |"


def _plain(text: str) -> str:
    """Return text from an answer without the characters that Markdown or HTML obey."""
    return _OBEYED.sub(r"\\\g<0>", " ".join(text.split()))
