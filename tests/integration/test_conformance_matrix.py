"""Each flaw has exactly the findings that the table says, and a right receiver has none."""

import asyncio
from functools import partial

import pytest

from leanbe_emitter.conformance.checks.all_checks import CHECKS
from leanbe_emitter.conformance.example.flaws import RECEIVERS
from leanbe_emitter.conformance.example.receiver import ExampleReceiver
from leanbe_emitter.conformance.report import Level, Report
from tests.support.checked_receivers import (
    check_in_process,
    check_over_network,
    example,
    found,
    ids_of,
    served_receivers,
)
from tests.support.event_loops import run_in_virtual_time
from tests.support.flaw_matrix import FINDINGS, FORGERIES, NETWORK_FINDINGS, START_FINDINGS

#: Flaws that only a network shows, and a right receiver.
NETWORKED = ["none", "race", "first_piece_read", "slow_answer"]
#: Less than the slow flaw takes, and more than anything else.
DEADLINE_SECONDS = 0.3


def test_the_table_has_every_flaw_and_each_is_there_to_be_run() -> None:
    assert FINDINGS.keys() == RECEIVERS.keys()
    assert len(RECEIVERS) - 1 >= 34


@pytest.mark.parametrize("flaw", FINDINGS)
def test_in_process_a_flaw_has_exactly_its_findings(flaw: str) -> None:
    receiver = example(flaw)
    report = check_in_process(receiver, observe=receiver.state.observation)
    assert found(report) == FINDINGS[flaw]


@run_in_virtual_time
async def test_over_the_network_a_flaw_has_exactly_its_findings() -> None:
    reports = await _reports(NETWORKED)
    assert {flaw: found(report) for flaw, report in reports.items()} == {
        flaw: FINDINGS[flaw] | NETWORK_FINDINGS.get(flaw, frozenset()) for flaw in NETWORKED
    }


@pytest.mark.prove
@run_in_virtual_time
async def test_over_the_network_every_flaw_has_exactly_its_findings() -> None:
    reports = await _reports(list(FINDINGS))
    assert {flaw: found(report) for flaw, report in reports.items()} == {
        flaw: FINDINGS[flaw] | NETWORK_FINDINGS.get(flaw, frozenset()) for flaw in FINDINGS
    }


async def _reports(flaws: list[str]) -> dict[str, Report]:
    async with served_receivers() as url:
        reports = await asyncio.gather(
            *(
                check_over_network(f"{url}/{flaw}", deadline_seconds=DEADLINE_SECONDS)
                for flaw in flaws
            )
        )
    return dict(zip(flaws, reports, strict=True))


def test_no_check_is_idle_each_graded_one_is_failed_by_a_flaw() -> None:
    failed = {
        each
        for table in (FINDINGS, NETWORK_FINDINGS, START_FINDINGS)
        for findings in table.values()
        for each in findings
    }
    graded = {check.id for check in CHECKS if check.level is not Level.TOLD}
    assert failed == graded


def test_without_an_observation_a_right_receiver_has_no_finding_and_nothing_is_proven() -> None:
    report = check_in_process(example("none"), observe=None)
    assert found(report) == frozenset()
    assert ids_of("inconclusive", report=report) == {
        "idempotency.duplicate",
        "idempotency.other_event",
        "idempotency.same_event_later",
        "idempotency.same_payload",
        "order.reversed",
        "order.after_deletion",
    }


def test_without_an_observation_2xx_to_a_forgery_fails() -> None:
    report = check_in_process(example("answers_always_200"), observe=None)
    assert found(report) >= FORGERIES
    assert "--observe" in next(each.got for each in report.findings if each.id in FORGERIES)


def test_a_status_alone_refutes_idempotency_and_proves_none() -> None:
    report = check_in_process(example("duplicate_conflict"), "idempotency.duplicate", observe=None)
    assert found(report) == {"idempotency.duplicate"}
    report = check_in_process(example("not_idempotent"), "idempotency.duplicate", observe=None)
    assert ids_of("inconclusive", report=report) == {"idempotency.duplicate"}


def test_a_plain_count_of_effects_will_do() -> None:
    wanted = ("signature.*", "idempotency.*", "order.*")
    for flaw in ("none", "effect_before_verification", "not_idempotent", "dedupe_by_id_and_event"):
        receiver = example(flaw)
        report = check_in_process(receiver, *wanted, observe=partial(count_of, receiver))
        assert found(report) == FINDINGS[flaw], flaw


def count_of(receiver: ExampleReceiver) -> object:
    """Return how many effects a receiver counts."""
    return receiver.state.observation()["effects"]


def test_a_count_of_documents_proves_less_and_raises_no_false_alarm() -> None:
    receiver = example("none")
    report = check_in_process(
        receiver,
        "signature.*",
        "idempotency.*",
        "order.*",
        observe=lambda: len(receiver.state.observation()["titles"]),
    )
    assert found(report) == frozenset()
    assert "idempotency.duplicate" in ids_of("pass", report=report)
    assert "idempotency.other_event" in ids_of("inconclusive", report=report)


def test_each_check_can_be_made_alone() -> None:
    for flaw, finding in (
        ("signature_skipped", "signature.tampered"),
        ("not_idempotent", "idempotency.duplicate"),
        ("deletion_forgotten", "order.after_deletion"),
        ("leak_secret", "leak.secret"),
        ("html_escaped", "control.event[idea.created]"),
    ):
        receiver = example(flaw)
        report = check_in_process(receiver, finding, observe=receiver.state.observation)
        assert [each.id for each in report.results] == [finding]
        assert found(report) == {finding}


def test_one_cause_is_told_once() -> None:
    receiver = example("signature_skipped")
    report = check_in_process(receiver, "signature.*", observe=receiver.state.observation)
    assert {each.cause for each in report.findings} == {
        "It does not verify at all: every forgery passes."
    }


@pytest.mark.parametrize(
    ("flaw", "words"),
    [
        ("html_escaped", "json.Marshal"),
        ("empty_object_as_list", "turns {} into []"),
        ("ascii_escaped", "json.dumps"),
    ],
)
def test_the_ladder_names_the_mistake_that_refuses_some_events(flaw: str, words: str) -> None:
    report = check_in_process(example(flaw), "control.*", "serialise.*", observe=None)
    assert {each.id: each.cause for each in report.findings if words not in each.cause} == {}
    assert len({each.cause for each in report.findings}) == 1


@pytest.mark.parametrize(
    ("language", "words"), [("go", "json.Marshal"), ("ruby", "payload.to_json in Rails")]
)
def test_of_mistakes_that_explain_the_same_the_one_in_the_receivers_language_is_named(
    language: str, words: str
) -> None:
    report = check_in_process(example("html_escaped"), "control.*", observe=None, language=language)
    assert {each.id: each.cause for each in report.findings if words not in each.cause} == {}


def test_a_refusal_that_no_known_mistake_explains_is_told_to_be_about_the_signature() -> None:
    report = check_in_process(example("decimals_rounded"), "serialise.*", observe=None)
    (finding,) = report.findings
    assert "does not hash the payload's text as it came" in finding.cause
    assert "rindex" in finding.fix["python"]


def test_a_redirect_is_neither_followed_nor_taken_for_an_answer() -> None:
    report = check_in_process(example("answers_302"), observe=None)
    assert report.diagnosis is not None
    assert "redirects" in report.diagnosis.what
    assert report.requests == 1
