"""A mistake is answered with what was probably meant."""

from leanbe_emitter.wire.did_you_mean import any_of, did_you_mean, nearest
from leanbe_emitter.wire.event_names import EVENT_NAMES


def test_a_slip_of_the_finger_finds_the_name() -> None:
    assert nearest("idea.craeted", EVENT_NAMES)[0] == "idea.created"
    assert nearest("ideas.created", EVENT_NAMES)[0] == "idea.created"


def test_capitals_and_separators_do_not_count() -> None:
    assert nearest("idea_upvoted", EVENT_NAMES)[0] == "idea.upVoted"
    assert nearest("BACKLOG-ITEM.STATUS-CHANGED", EVENT_NAMES)[0] == "backlogItem.statusChanged"


def test_a_beginning_or_an_ending_is_enough() -> None:
    assert nearest("okr", EVENT_NAMES) == ["okr.created", "okr.updated", "okr.deleted"]
    assert nearest("statusChanged", EVENT_NAMES) == ["backlogItem.statusChanged"]


def test_nothing_is_suggested_for_what_is_like_nothing() -> None:
    assert nearest("qqqq", EVENT_NAMES) == []
    assert did_you_mean("qqqq", EVENT_NAMES) == ""


def test_no_more_than_the_limit_is_suggested() -> None:
    assert len(nearest("created", EVENT_NAMES, limit=2)) == 2


def test_the_sentence_names_the_nearest() -> None:
    assert did_you_mean("okr", EVENT_NAMES) == (
        "Did you mean okr.created, okr.updated or okr.deleted?"
    )
    assert any_of(["a"]) == "a"


def test_nothing_is_like_a_word_that_is_longer_than_any_name() -> None:
    assert nearest("idea.created" * 9, ["idea.created" * 9]) == []
    assert nearest("i" * 900_000, EVENT_NAMES) == []


def test_many_candidates_are_not_all_compared() -> None:
    candidates = [f"q{number:05}" for number in range(2000)]
    assert nearest("idea.created", [*candidates, "idea.created"]) == []
    assert nearest("idea.created", [*candidates[1:], "idea.created"]) == ["idea.created"]
