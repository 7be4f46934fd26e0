"""The report of ``check`` for people, in lines that fit a terminal of 80 columns.

Each line has a mark, a word, and a text: what is wrong first, then a line for each group.
"""

from collections.abc import Iterator, Sequence

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.terminal import Terminal
from leanbe_emitter.conformance.refusal_causes import NOTHING_VERIFIES
from leanbe_emitter.conformance.report import (
    NOT_TESTABLE,
    Diagnosis,
    Level,
    Report,
    Result,
    Verdict,
)
from leanbe_emitter.conformance.report_formats import Finding, findings_of
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.wire.explain.languages import USUAL, Language

_LINE = "{:<5} {:<11} {}"
_INDENT = 18


def lines_of(
    report: Report, terminal: Terminal, *, language: str | None = None, curl: bool = False
) -> Iterator[str]:
    """Yield the lines of a report.

    Args:
        report: the report.
        terminal: how wide lines are, and whether they have colours.
        language: the receiver's language, for the repairs; None for the usual ones.
        curl: whether to show the commands that repeat requests, which are long.
    """
    rows = _Rows(terminal)
    if report.diagnosis is not None:
        yield from _diagnosis(rows, report.diagnosis, language)
        yield from _skipped(rows, report.results)
    else:
        yield from _findings(rows, report, language, curl=curl)
        yield from _groups(rows, report.results)
        yield from rows.row("", "", NOT_TESTABLE)
    yield ""
    yield (
        f"{report.requests} requests in {report.seconds:.1f} s to {report.url}, "
        f"--seed {report.seed}"
    )


class _Rows:
    """Makes lines of a mark, a word and a text; a long text goes on below itself."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def row(self, mark: str, word: str, text: str, *, outcome: str = "") -> Iterator[str]:
        """Yield the lines of a row."""
        first, *others = self._terminal.wrapped(output.printable(text), indent=_INDENT)
        shown = _LINE.format(mark, word, first)
        if mark and outcome:
            shown = self._terminal.coloured(mark, by=outcome) + shown.removeprefix(mark)
        yield shown
        yield from (" " * _INDENT + line for line in others)

    def whole(self, word: str, text: str) -> Iterator[str]:
        """Yield a line to copy: it is never broken."""
        yield _LINE.format("", word, output.printable(text))


def _diagnosis(rows: _Rows, diagnosis: Diagnosis, language: str | None) -> Iterator[str]:
    yield from rows.row("FAIL", "signature", diagnosis.what, outcome=Outcome.REFUSED)
    if diagnosis.proof:
        yield from rows.row("", "proof" if diagnosis.fix else "probe", diagnosis.proof)
    languages = [language] if language is not None else diagnosis.languages
    known = [Language(each) for each in languages] or list(USUAL)
    for each in (each for each in known if each.value in diagnosis.fix):
        yield from rows.whole("fix" if len(known) == 1 else each.label, diagnosis.fix[each.value])
    if diagnosis.careful:
        yield from rows.row("", "careful", diagnosis.careful)


def _skipped(rows: _Rows, results: Sequence[Result]) -> Iterator[str]:
    """Yield one line for all the checks behind a closed gate."""
    skipped = sum(each.got == NOTHING_VERIFIES for each in results)
    if skipped:
        yield from rows.row("", "skipped", f"{skipped} checks: {NOTHING_VERIFIES}")


def _findings(rows: _Rows, report: Report, language: str | None, *, curl: bool) -> Iterator[str]:
    """Yield the findings; lines to change that several have in common are shown once."""
    shown: Sequence[tuple[str, str]] = ()
    for finding in findings_of(report):
        yield from _finding(rows, finding)
        fixes = finding.fixes(language)
        for label, line in fixes if fixes != shown else [("fix", "as above")]:
            yield from rows.whole(label, line)
        shown = fixes
        if curl and finding.first.curl:
            yield from rows.whole("repeat", finding.first.curl)
        yield ""


def _finding(rows: _Rows, finding: Finding) -> Iterator[str]:
    first = finding.first
    outcome = Outcome.UNKNOWN if finding.is_warning else Outcome.REFUSED
    yield from rows.row(finding.mark, first.group, finding.title, outcome=outcome)
    if first.cause:
        yield from rows.row("", "cause", first.cause)
    if len(finding.results) == 1:
        yield from rows.row("", "sent", first.sent)
        yield from rows.row("", "expected", first.expected)
    yield from rows.row("", "got", first.got)
    yield from rows.row("", "why", first.why)


def _groups(rows: _Rows, results: Sequence[Result]) -> Iterator[str]:
    for group in dict.fromkeys(each.group for each in results):
        of_group = [each for each in results if each.group == group]
        yield from _group(rows, group, of_group)


def _group(rows: _Rows, group: str, results: Sequence[Result]) -> Iterator[str]:
    passed = [each for each in results if each.verdict is Verdict.PASS]
    found = [each for each in results if each.is_finding]
    words = [f"{len(passed)} ok"] if passed else []
    words += [f"{len(found)} not"] if found else []
    words += [
        f"{count} {word}"
        for verdict, word in _OTHERS
        if (count := sum(each.verdict is verdict for each in results))
    ]
    is_must = any(each.level is Level.MUST for each in found)
    mark = ("FAIL" if is_must else "fail") if found else "ok" if passed else ""
    outcome = Outcome.REFUSED if is_must else Outcome.UNKNOWN if found else Outcome.DELIVERED
    yield from rows.row(mark, group, ", ".join(words), outcome=outcome)
    yield from _reasons(rows, results)
    for each in results:
        if each.verdict is Verdict.TOLD:
            yield from rows.row("", "", f"{each.sent}: {each.got}")


def _reasons(rows: _Rows, results: Sequence[Result]) -> Iterator[str]:
    """Yield why results are unproven or skipped, each reason once."""
    for verdict, word in _OTHERS[:2]:
        for reason in dict.fromkeys(each.got for each in results if each.verdict is verdict):
            yield from rows.row("", "", f"{word}: {reason}")


_OTHERS = ((Verdict.INCONCLUSIVE, "unproven"), (Verdict.SKIPPED, "skipped"), (Verdict.TOLD, "told"))
