from collections.abc import Callable
from dataclasses import replace

from leanbe_emitter import Leanbe, Product
from leanbe_emitter.testing import Receiver

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


def test_what_leanbe_did_not_sign_is_refused(
    leanbe: Leanbe, leanbe_receiver: Receiver, ideas: Ideas
) -> None:
    forger = replace(leanbe_receiver, secret="whsec_of_somebody_else").product(leanbe, "Forger")
    leanbe.trigger("idea.upVoted", product=forger)
    leanbe.assert_refused("idea.upVoted", status=401)
    assert ideas() == {}


def test_other_events_are_accepted(leanbe: Leanbe, ideas: Ideas) -> None:
    leanbe.trigger("okr.created")
    leanbe.assert_delivered("okr.created")
    assert ideas() == {}
