"""Mistakes of receivers in PHP, Go and Ruby: each has exactly the findings that its table says."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from leanbe_emitter.conformance.check_url import UrlCheck, Wanted
from leanbe_emitter.conformance.checks.all_checks import CHECKS
from leanbe_emitter.conformance.report import Report
from tests.support import flaws_in_go, flaws_in_php, flaws_in_ruby
from tests.support.checked_receivers import found, ids_of, told_wrong
from tests.support.running_snippets import SECRET, run_as_told
from tests.support.snippet_flaws import SnippetFlaw, flawed

_TABLES = {"php": flaws_in_php, "go": flaws_in_go, "ruby": flaws_in_ruby}
#: What a status alone does not prove.
_UNPROVEN = frozenset(
    check.id for check in CHECKS if check.id.partition(".")[0] in {"idempotency", "order"}
)
_TITLE = re.compile(r"^new idea: (.*)$", re.MULTILINE)
#: What the receivers print is there before they answer; a hung up request takes them 50 ms more.
_SETTLE_SECONDS = 0.1


def _cases() -> Iterator[object]:
    for language, table in _TABLES.items():
        marks = [getattr(pytest.mark, language), pytest.mark.prove]
        for name in table.FLAWS:
            yield pytest.param(language, name, id=f"{language}-{name}", marks=marks)


@pytest.mark.parametrize(("language", "name"), [*_cases()])
def test_a_flaw_in_another_language_has_exactly_its_findings_and_a_repair_in_that_language(
    language: str, name: str, tmp_path: Path
) -> None:
    flaw: SnippetFlaw = _TABLES[language].FLAWS[name]
    report = _checked(language, flaw.edits, tmp_path)
    assert found(report) == flaw.findings, told_wrong(report)
    told = _told(report, language)
    assert [line for _, line in told if flaw.repair in line], told
    if flaw.cause:
        assert [cause for cause, _ in told if flaw.cause not in cause] == []


@pytest.mark.prove
@pytest.mark.parametrize(
    "language", [pytest.param(each, marks=getattr(pytest.mark, each)) for each in _TABLES]
)
def test_the_right_receiver_in_another_language_has_no_finding_and_its_effects_are_seen(
    language: str, tmp_path: Path
) -> None:
    report = _checked(language, {}, tmp_path)
    assert told_wrong(report) == {}
    assert ids_of("inconclusive", report=report) == {"order.after_deletion"}


@pytest.mark.parametrize(
    ("language", "name"),
    [
        pytest.param("php", "json_encode_of_arrays", marks=pytest.mark.php),
        pytest.param("go", "nil_dereferenced", marks=[pytest.mark.go, pytest.mark.prove]),
        pytest.param("ruby", "to_json_of_active_support", marks=pytest.mark.ruby),
    ],
)
def test_without_an_observation_such_a_flaw_is_found_and_idempotency_is_not_proven(
    language: str, name: str, tmp_path: Path
) -> None:
    flaw = _TABLES[language].FLAWS[name]
    with run_as_told(language, tmp_path, text=flawed(language, flaw.edits)) as running:
        report = asyncio.run(UrlCheck(Wanted(url=running.url, secret=SECRET)).run())
    assert found(report) == flaw.findings, told_wrong(report)
    assert ids_of("inconclusive", report=report) == _UNPROVEN


def _checked(language: str, edits: Mapping[str, str], folder: Path) -> Report:
    """Check a receiver with these changes; the titles that it printed are the observation."""
    text = flawed(language, _TABLES[language].OBSERVED, edits)
    with run_as_told(language, folder, text=text) as running:
        check = UrlCheck(
            Wanted(
                url=running.url, secret=SECRET, settle_seconds=_SETTLE_SECONDS, language=language
            ),
            observe=lambda: _TITLE.findall(running.output()),
        )
        return asyncio.run(check.run())


def _told(report: Report, language: str) -> list[tuple[str, str]]:
    """Return the cause of each finding, and its repair in one language."""
    return [(each.cause, each.fix.get(language, "")) for each in report.findings]
