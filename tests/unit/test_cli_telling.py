"""What is said of a story at its end."""

from dataclasses import replace

import pytest

from leanbe_emitter.cli.demo.article_formula import Judgement
from leanbe_emitter.cli.demo.demonstration import Made
from leanbe_emitter.cli.demo.story_report import Step, StoryReport, Told
from leanbe_emitter.wire.samples.sample_payloads import LIFECYCLE_ORDER

MADE = Made(
    delivery_id="64a28ec49c3a1954e6a2e502",
    event="idea.created",
    number=1,
    status=204,
    answer="204 No Content",
    is_accepted=True,
    is_verified=True,
    latency_ms=1.0,
    next="",
)
FAILED = replace(MADE, status=503, answer="503 Service Unavailable", is_accepted=False)
UNREACHED = replace(
    MADE, status=None, answer="connection refused", is_accepted=False, is_verified=False
)


def report(*attempts: Made, events: tuple[str, ...] = LIFECYCLE_ORDER) -> StoryReport:
    told = tuple(Told(event=event, attempts=attempts) for event in events)
    return StoryReport(
        url="http://127.0.0.1:8000/", steps=[Step(number=1, words="All", events=told)]
    )


def test_a_story_of_all_events_that_came_through_is_a_success() -> None:
    told = report(FAILED, MADE)
    assert told.is_success
    assert told.summary == "22 of 22 verified by the receiver"
    assert told.events[0].answers == "503, 204"


@pytest.mark.parametrize("attempts", [(), (replace(MADE, is_verified=False),)])
def test_an_event_that_did_not_come_through_is_named(attempts: tuple[Made, ...]) -> None:
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
    attempts: tuple[Made, ...],
) -> None:
    told = report(*attempts, events=("idea.created",))
    assert not told.is_success
    refused = "The receiver refused idea.created, the first of all: 503 Service Unavailable.\n"
    assert told.reason.startswith(refused)


def test_what_is_refused_later_does_not_end_the_story() -> None:
    accepted, refused = (Told(event="okr.created", attempts=(each,)) for each in (MADE, FAILED))
    steps = [Step(number=1, words="All", events=(accepted, refused))]
    told = StoryReport(url="http://127.0.0.1:8000/", steps=steps)
    assert (told.refused, told.unanswered) == (None, None)
    assert told.reason == "Not accepted, or not verified: okr.created."


def test_an_event_that_did_not_occur_is_named() -> None:
    told = report(MADE, events=tuple(name for name in LIFECYCLE_ORDER if name != "okr.deleted"))
    assert not told.is_success
    assert told.reason == "These events did not occur: okr.deleted."


def test_what_node_does_not_verify_is_no_success() -> None:
    told = report(MADE)
    told.node = Judgement(verified=21, bodies=22, version="v20")
    assert not told.is_success
    assert "21 of 22" in told.reason


def test_a_receiver_that_tells_nothing_is_said_to_have_accepted() -> None:
    told = report(replace(MADE, is_verified=None))
    assert told.is_success
    assert told.summary == "22 of 22 accepted by http://127.0.0.1:8000/"


def test_what_was_not_reached_is_shown_by_what_went_wrong() -> None:
    assert report(UNREACHED).events[0].answers == "connection refused"
    assert report().events[0].verdict == "NOT SENT"
