"""The catalogue holds the article's 22 events."""

import pytest

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.event_names import EVENT_NAMES, EVENTS, Source, event_kind, matching
from tests.support.example_envelopes import ENVELOPES

SPELLINGS = [
    "ideaRequest.created",
    "ideaRequest.attachedToIdea",
    "ideaRequest.ignored",
    "idea.created",
    "idea.updated",
    "idea.promoted",
    "idea.deleted",
    "idea.upVoted",
    "idea.downVoted",
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "backlogItem.created",
    "backlogItem.updated",
    "backlogItem.deleted",
    "backlogItem.statusChanged",
    "okr.created",
    "okr.updated",
    "okr.deleted",
    "announcement.created",
    "announcement.updated",
    "announcement.deleted",
]


def test_the_names_are_the_articles_in_its_order() -> None:
    assert list(EVENT_NAMES) == SPELLINGS


def test_the_examples_speak_of_every_event() -> None:
    assert {envelope["event"] for envelope in ENVELOPES} == set(EVENT_NAMES)


def test_only_two_payloads_are_stated_and_every_trigger_is() -> None:
    stated = {event.name for event in EVENTS if event.payload_source is Source.STATED}
    assert stated == {"customer.created", "idea.created"}
    assert {event.trigger_source for event in EVENTS} == {Source.STATED}


def test_every_event_has_a_group_and_a_meaning_of_its_own() -> None:
    assert len({event.meaning for event in EVENTS}) == len(EVENTS)
    assert len({event.group for event in EVENTS}) == len({event.resource for event in EVENTS}) == 6


def test_an_event_knows_its_resource_and_its_action() -> None:
    event = event_kind("idea.upVoted")
    assert (event.resource, event.action) == ("idea", "upVoted")


def test_a_wrong_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidValue) as refusal:
        event_kind("idea.upvoted")
    assert "'idea.upvoted'" in refusal.value.message
    assert "idea.upVoted" in refusal.value.hint


def test_a_name_like_no_other_is_refused_with_all_of_them() -> None:
    with pytest.raises(InvalidValue) as refusal:
        event_kind("zzz")
    assert all(name in refusal.value.hint for name in EVENT_NAMES)


def test_a_glob_names_the_events_that_fit() -> None:
    assert matching("okr.*") == ("okr.created", "okr.updated", "okr.deleted")
    assert matching("*") == EVENT_NAMES
    assert matching("idea.created") == ("idea.created",)


@pytest.mark.parametrize("glob", ["ideas.*", "IDEA.CREATED", "", "zzz"])
def test_a_glob_that_fits_nothing_is_refused(glob: str) -> None:
    with pytest.raises(InvalidValue, match="No event matches"):
        matching(glob)
