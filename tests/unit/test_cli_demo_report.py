"""The report of a demo: when it is a success, and what it says at the end."""

from dataclasses import replace

import pytest

from leanbe_emitter.cli.demo.article_formula import NodeCheck
from leanbe_emitter.cli.demo.report import Attempt, Event, Report, Step
from leanbe_emitter.wire.samples.sample_payloads import LIFECYCLE_ORDER

ACCEPTED = Attempt(
    event="idea.created",
    number=1,
    status=204,
    answer="204 No Content",
    is_accepted=True,
    is_verified=True,
    latency_ms=1.0,
    next="",
)
FAILED = replace(ACCEPTED, status=503, answer="503 Service Unavailable", is_accepted=False)
UNREACHED = replace(
    ACCEPTED, status=None, answer="connection refused", is_accepted=False, is_verified=False
)


def report(*attempts: Attempt, events: tuple[str, ...] = LIFECYCLE_ORDER) -> Report:
    return story_of(*(Event(name=name, attempts=list(attempts)) for name in events))


def story_of(*events: Event) -> Report:
    made = Report(url="http://127.0.0.1:8000/")
    made.add_step(Step(number=1, action="All", events=events))
    return made


def test_a_story_of_all_events_that_came_through_is_a_success() -> None:
    told = report(FAILED, ACCEPTED)
    assert told.is_success
    assert told.summary == "22 of 22 verified by the receiver"
    assert told.events[0].answers == "503, 204"


@pytest.mark.parametrize("attempts", [(), (replace(ACCEPTED, is_verified=False),)])
def test_an_event_that_did_not_come_through_is_named(attempts: tuple[Attempt, ...]) -> None:
    told = report(*attempts)
    assert not told.is_success
    assert told.summary.startswith("0 of 22 ")
    assert told.reason.startswith("Not accepted, or not verified: customer.created, ")


def test_an_event_that_nobody_answered_is_named_with_what_went_wrong() -> None:
    told = report(UNREACHED, events=("idea.created",))
    assert not told.is_success
    assert told.summary == "0 of 1 verified by the receiver"
    assert told.reason.startswith("Nobody answered idea.created: connection refused.\n")


@pytest.mark.parametrize("attempts", [(FAILED,), (UNREACHED, FAILED)])
def test_a_first_event_that_was_refused_is_named_with_the_answer(
    attempts: tuple[Attempt, ...],
) -> None:
    told = report(*attempts, events=("idea.created",))
    assert not told.is_success
    refused = "The receiver refused the first event, idea.created: 503 Service Unavailable.\n"
    assert told.reason.startswith(refused)


def test_a_later_refusal_does_not_end_the_story() -> None:
    told = story_of(*(Event(name="okr.created", attempts=[each]) for each in (ACCEPTED, FAILED)))
    assert told.reason_to_stop == ""
    assert told.reason == "Not accepted, or not verified: okr.created."


def test_an_event_that_did_not_occur_is_named() -> None:
    told = report(ACCEPTED, events=tuple(name for name in LIFECYCLE_ORDER if name != "okr.deleted"))
    assert not told.is_success
    assert told.reason == "These events did not occur: okr.deleted."


def test_a_body_that_node_does_not_verify_is_no_success() -> None:
    told = report(ACCEPTED)
    told.node = NodeCheck(verified=21, bodies=22, version="v20")
    assert not told.is_success
    assert "21 of 22" in told.reason


def test_a_receiver_that_tells_nothing_is_said_to_have_accepted() -> None:
    told = report(replace(ACCEPTED, is_verified=None))
    assert told.is_success
    assert told.summary == "22 of 22 accepted by http://127.0.0.1:8000/"


def test_an_event_without_an_answer_shows_the_error_of_its_attempt() -> None:
    assert report(UNREACHED).events[0].answers == "connection refused"
    assert report().events[0].verdict == "NOT SENT"


def test_a_demo_without_a_story_lists_its_attempts_and_its_failures() -> None:
    first = replace(UNREACHED, event="idea.created")
    events = [Event(name="idea.created", attempts=[first, replace(ACCEPTED, number=2)])]
    events += [Event(name="okr.created", attempts=[FAILED])]
    told = Report(url="http://127.0.0.1:8000/", events=events)
    assert [each["attempt"] for each in told.document()["attempts"]] == [1, 1, 2]
    assert told.reason == "Not accepted, or not verified: okr.created."
