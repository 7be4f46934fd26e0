from collections.abc import Callable

import pytest
from leanbe_emitter import Leanbe, Product

Ideas = Callable[[], dict[str, int]]


def test_votes_are_counted(leanbe: Leanbe, leanbe_product: Product, ideas: Ideas) -> None:
    dark, light = (leanbe_product.ideas.create(title=title) for title in ("Dark", "Light"))
    leanbe_product.ideas.upvote(dark)
    leanbe_product.ideas.downvote(light)
    leanbe.deliver()
    leanbe.assert_delivered("idea.upVoted", times=1)
    assert ideas() == {"Dark": 1, "Light": -1}


def test_a_vote_that_comes_again_counts_once(leanbe: Leanbe, ideas: Ideas) -> None:
    vote = leanbe.trigger("idea.upVoted", set={"title": "Dark"})  # to leanbe_receiver, at once
    vote.redeliver(times=3)
    leanbe.assert_delivered("idea.upVoted", times=4)
    assert ideas() == {"Dark": 1}


@pytest.mark.parametrize("forgery", ["wrong_secret", "tampered_payload", "missing_signature"])
def test_an_unsigned_or_forged_event_is_refused(leanbe: Leanbe, ideas: Ideas, forgery: str) -> None:
    leanbe.faults.add(forgery)
    leanbe.trigger("idea.upVoted")
    leanbe.assert_refused("idea.upVoted")
    assert ideas() == {}


def test_an_event_that_nobody_knows_is_accepted(leanbe: Leanbe, ideas: Ideas) -> None:
    leanbe.faults.unknown_event()
    leanbe.trigger("idea.upVoted")
    leanbe.assert_delivered("idea.upVoted")
    assert ideas() == {}
