"""A receiver that refuses the plainest event is told its mistake, with the line that mends it."""

import pytest

from leanbe_emitter.conformance.check_app import AppCheck
from leanbe_emitter.conformance.report import Diagnosis, Report
from leanbe_emitter.library.runtime.awaitables import drive
from tests.support.checked_receivers import SECRET, as_function, example


def check(flaw: str) -> tuple[Diagnosis, Report]:
    report = drive(AppCheck(as_function(example(flaw)), secret=SECRET).run())
    assert report.diagnosis is not None
    return report.diagnosis, report


@pytest.mark.parametrize(
    ("flaw", "mistake", "language"),
    [
        ("spaces_written", "You hash json.dumps(payload)", "python"),
        ("keys_sorted", "which sorts the keys", "python"),
    ],
)
def test_a_mistake_is_named_by_the_event_that_the_receiver_accepts(
    flaw: str, mistake: str, language: str
) -> None:
    diagnosis, report = check(flaw)
    assert mistake in diagnosis.what
    assert "accepted an event signed that way" in diagnosis.proof
    assert "may have acted on them" in diagnosis.careful
    assert "raw" in diagnosis.fix[language]
    assert diagnosis.languages[0] == language
    assert report.requests > 10
    assert not report.is_success()


def test_an_unproven_diagnosis_says_what_to_look_at() -> None:
    diagnosis, _ = check("raw_body_hashed")
    assert "It refuses the plainest event: 401" in diagnosis.what
    assert "every known mistake" in diagnosis.proof
    assert "hashes the whole body" in diagnosis.careful
    assert diagnosis.fix == {}


@pytest.mark.parametrize("flaw", ["keys_sorted", "raw_body_hashed", "answers_302"])
def test_the_refused_event_has_the_cause_that_the_diagnosis_names_and_a_repair(flaw: str) -> None:
    diagnosis, report = check(flaw)
    (finding,) = report.findings
    assert finding.cause == diagnosis.what
    assert finding.languages == tuple(diagnosis.languages)
    assert "raw" in finding.fix["go"]


def test_an_answer_that_is_not_about_signatures_is_not_probed() -> None:
    diagnosis, report = check("answers_302")
    assert "redirects" in diagnosis.what
    assert report.requests == 1


def test_a_mistake_that_the_answer_tells_needs_no_probe() -> None:
    flawed = type(
        "TellingReceiver",
        (type(example("leak_expected_signature")),),
        {"written": type(example("spaces_written")).written},
    )
    receiver = flawed(SECRET, state=example("none").state, pause=example("none").pause)
    report = drive(AppCheck(as_function(receiver), secret=SECRET).run())
    assert report.diagnosis is not None
    assert "json.dumps(payload)" in report.diagnosis.what
    assert "its answer has the signature" in report.diagnosis.proof
    assert report.requests == 1
