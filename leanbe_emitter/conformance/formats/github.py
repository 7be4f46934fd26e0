"""Workflow commands of GitHub Actions: an annotation for each finding.

GitHub drops more than ten errors and ten warnings of a step without a word, so these come first.
"""

from collections.abc import Iterator

from leanbe_emitter.conformance.formats.findings import Finding, findings_of
from leanbe_emitter.conformance.report import Report

_MOST = 10


def as_github(report: Report) -> str:
    """Return the annotations, musts first."""
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
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
    return f"::{kind} title={_property(f'leanbe-emitter check: {title}')}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
