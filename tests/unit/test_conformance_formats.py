"""Reports for programs and for people: what each says, and what none ever says."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache

from leanbe_emitter.cli.invocation.terminal import Terminal
from leanbe_emitter.cli.receive.check_report import lines_of
from leanbe_emitter.conformance.report import Report
from leanbe_emitter.conformance.report_formats import as_github, as_junit, as_markdown, findings_of
from leanbe_emitter.delivery.in_process.functions import function_transport
from tests.support.checked_receivers import SECRET, check_in_process, example

NARROW = Terminal(width=80)


@cache
def report_of(flaw: str) -> Report:
    receiver = example(flaw)
    return check_in_process(receiver, observe=receiver.state.observation)


def every_text(report: Report) -> list[str]:
    lines = lines_of(report, Terminal(), curl=True)
    return [
        json.dumps(report.document(), ensure_ascii=False),
        as_junit(report),
        as_markdown(report),
        as_github(report),
        "\n".join(lines),
    ]


def test_no_report_has_the_secret_even_if_the_receiver_told_it() -> None:
    for text in every_text(report_of("leak_secret")):
        assert SECRET not in text
        assert "leak.secret" in text


def test_no_report_has_the_value_of_a_header_that_the_receiver_sends_back() -> None:
    report = check_in_process(
        example("none"),
        observe=None,
        transport=function_transport(lambda request: (401, request.header("Authorization") or "")),
        headers=(("Authorization", "Bearer of-good-news"),),
    )
    for text in every_text(report):
        assert "good-news" not in text
    assert "********" in report.results[0].got
    assert "Authorization" in report.results[0].curl


def test_junit_has_a_case_for_each_check() -> None:
    report = report_of("timing_throws")
    suite = ET.fromstring(as_junit(report))[0]  # noqa: S314 - our own text
    assert (suite.get("tests"), len(suite)) == (str(len(report.results)), len(report.results))
    assert suite.get("failures") == "0"
    case = next(each for each in suite if each.get("name") == "signature.missing")
    assert "crashes instead" in str(case[0].text)
    assert case[0].tag == "system-out"


def test_junit_holds_any_text_of_a_receiver() -> None:
    report = report_of("missing_accepted")
    odd = replace(report.findings[0], got="\x00 <b> ]]> \ud800 \x1b[2J")
    text = as_junit(replace(report, results=[odd]))
    (failure,) = ET.fromstring(text).iter("failure")  # noqa: S314 - our own text
    assert "<b> ]]>" in str(failure.text)


def test_github_gets_the_most_serious_ten_of_each_kind() -> None:
    report = report_of("one_event_only")
    lines = as_github(report).splitlines()
    assert [
        sum(each.startswith(f"::{kind} ") for each in lines) for kind in ("error", "warning")
    ] == [10, 3]
    assert lines[0].startswith("::error title=leanbe-emitter check%3A control.event[")


def test_markdown_obeys_nothing_that_an_answer_says() -> None:
    report = report_of("missing_accepted")
    odd = replace(report.findings[0], got="<img src=x> `code` [link](x)", cause="")
    text = as_markdown(replace(report, results=[odd]))
    assert "\\<img src=x\\> \\`code\\` \\[link\\](x)" in text
    assert "| signature |  | 1 |" in text


def test_a_person_reads_what_is_wrong_in_80_columns_with_the_line_to_change() -> None:
    lines = list(lines_of(report_of("missing_accepted"), NARROW))
    assert lines[0] == "FAIL  signature   signature.missing"
    assert "      sent        no signature" in lines
    assert any(line.startswith("      Python      if not verifies(body)") for line in lines)
    broken = [line for line in lines if len(line) > 80]
    assert all(line.split()[0] in {"JavaScript", "Python"} for line in broken[:-1])
    assert "ok    serialise   5 ok, 3 told" in lines


def test_a_terminal_obeys_nothing_that_an_answer_says() -> None:
    report = report_of("missing_accepted")
    odd = replace(report.findings[0], got="\x1b[2J")
    assert "\x1b" not in "\n".join(lines_of(replace(report, results=[odd]), NARROW))


def test_findings_with_one_cause_are_one() -> None:
    (finding,) = findings_of(report_of("html_escaped"))
    assert finding.title.endswith("and 18 more")
    assert finding.fixes(None)[0][0] == "Go"
    assert finding.fixes("php")[0][0] == "PHP"
    assert finding.fixes("php") != finding.fixes(None)


def test_a_language_without_a_line_of_its_own_gets_the_usual_ones() -> None:
    (finding,) = findings_of(report_of("limit_100k"))
    assert [label for label, _ in finding.fixes("csharp")] == ["JavaScript", "Python"]


def test_a_closed_gate_is_told_in_few_lines() -> None:
    lines = list(lines_of(report_of("answers_302"), NARROW))
    assert lines[0].startswith("FAIL  signature   It redirects")
    assert any("73 checks: nothing verifies yet" in line for line in lines)
    assert len(lines) < 8


def test_a_group_whose_findings_are_all_shoulds_says_so_in_small_letters() -> None:
    lines = list(lines_of(report_of("charset_refused"), NARROW))
    assert any(line.startswith("fail  http        7 ok, 1 not") for line in lines)
