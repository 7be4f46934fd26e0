"""JUnit XML: a case for each check. What is unproven is skipped; a warning passes with its text."""

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from leanbe_emitter.conformance.report import Report
from leanbe_emitter.conformance.verdicts import Result, Verdict

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
    name = f'<testcase classname="check.{result.group}" name={quoteattr(_clean(result.id))}'
    inside = _inside(result)
    if not inside:
        yield f"  {name}/>"
        return
    yield f"  {name}>"
    yield f"    {inside}"
    yield "  </testcase>"


def _inside(result: Result) -> str:
    message = quoteattr(_clean(result.cause or result.got))
    if result.verdict in _UNPROVEN:
        return f"<skipped message={message}/>"
    text = escape(_clean(_text(result)))
    if result.verdict in _TEXTS:
        return f"<system-out>{text}</system-out>"
    if result.verdict is Verdict.PASS:
        return ""
    tag = "error" if result.verdict is Verdict.ERROR else "failure"
    return f"<{tag} type={quoteattr(result.level.value)} message={message}>{text}</{tag}>"


def _text(result: Result) -> str:
    lines = [f"sent: {result.sent}", f"expected: {result.expected}", f"got: {result.got}"]
    lines += [f"why: {result.why}"] if result.is_finding else []
    lines += [f"{language}: {line}" for language, line in result.fix.items()]
    lines += [f"repeat: {result.curl}"] if result.curl and result.is_finding else []
    return "\n".join(lines)


def _clean(text: str) -> str:
    """Return text without the characters that XML cannot hold."""
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
