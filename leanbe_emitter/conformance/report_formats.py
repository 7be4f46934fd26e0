"""Reports for programs: GitHub annotations, JUnit XML and Markdown. None contains a secret."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from leanbe_emitter.conformance.report import NOT_TESTABLE, Level, Report, Result, Verdict
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


#: GitHub drops more errors or warnings of a step than these without a word: musts come first.
_MOST = 10


def as_github(report: Report) -> str:
    """Return the annotations, musts first."""
    return "".join(f"{line}\n" for line in _annotations(report))


def _annotations(report: Report) -> Iterator[str]:
    if report.diagnosis is not None:
        yield _command("error", "control.plain", report.diagnosis.what)
        return
    found = findings_of(report)
    for kind, wanted in (
        ("error", [each for each in found if not each.is_warning]),
        ("warning", [each for each in found if each.is_warning]),
    ):
        yield from (_annotation(kind, each) for each in wanted[:_MOST])


def _annotation(kind: str, finding: Finding) -> str:
    return _command(kind, finding.title, f"{finding.sentence} {finding.first.why}")


def _command(kind: str, title: str, message: str) -> str:
    name = _github_property(f"leanbe-emitter check: {title}")
    return f"::{kind} title={name}::{_github_data(message)}"


def _github_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_property(text: str) -> str:
    return _github_data(text).replace(":", "%3A").replace(",", "%2C")


_NOT_IN_XML = re.compile("[^\\t\\n\\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNPROVEN = (Verdict.INCONCLUSIVE, Verdict.SKIPPED)
_TEXTS = (Verdict.WARN, Verdict.TOLD)


def as_junit(report: Report) -> str:
    """Return the report as JUnit XML."""
    counts = report.counts
    skipped = sum(counts[each.value] for each in _UNPROVEN)
    head = (
        f'<testsuite name="leanbe-emitter check" tests="{len(report.results)}" '
        f'failures="{counts["fail"]}" errors="{counts["error"]}" skipped="{skipped}" '
        f'time="{report.seconds:.3f}" hostname={quoteattr(report.url)}>'
    )
    cases = (line for each in report.results for line in _case(each))
    begin = ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", head]
    return "\n".join([*begin, *cases, "</testsuite>", "</testsuites>", ""])


def _case(result: Result) -> Iterator[str]:
    name = f'<testcase classname="check.{result.group}" name={quoteattr(_xml_text(result.id))}'
    inside = _inside(result)
    if not inside:
        yield f"  {name}/>"
        return
    yield f"  {name}>"
    yield f"    {inside}"
    yield "  </testcase>"


def _inside(result: Result) -> str:
    message = quoteattr(_xml_text(result.cause or result.got))
    if result.verdict in _UNPROVEN:
        return f"<skipped message={message}/>"
    text = escape(_xml_text(_case_text(result)))
    if result.verdict in _TEXTS:
        return f"<system-out>{text}</system-out>"
    if result.verdict is Verdict.PASS:
        return ""
    tag = "error" if result.verdict is Verdict.ERROR else "failure"
    return f"<{tag} type={quoteattr(result.level.value)} message={message}>{text}</{tag}>"


def _case_text(result: Result) -> str:
    lines = [f"sent: {result.sent}", f"expected: {result.expected}", f"got: {result.got}"]
    lines += [f"why: {result.why}"] if result.is_finding else []
    lines += [f"{language}: {line}" for language, line in result.fix.items()]
    lines += [f"repeat: {result.curl}"] if result.curl and result.is_finding else []
    return "\n".join(lines)


def _xml_text(text: str) -> str:
    """Return text without the characters that XML cannot hold."""
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)


_OBEYED = re.compile(r"[\\`*_\[\]<>|#]")


def as_markdown(report: Report, *, language: str | None = None) -> str:
    """Return the report as Markdown."""
    return "\n".join(_sections(report, language)) + "\n"


def _sections(report: Report, language: str | None) -> Iterator[str]:
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
