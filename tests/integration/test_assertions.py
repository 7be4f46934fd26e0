"""The assertions of the library: what they hold to be true, and what they teach where they fail."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from leanbe_emitter import (
    EventsNotDelivered,
    InvalidValue,
    Leanbe,
    Product,
    ReceivedRequest,
    transport_for,
)
from leanbe_emitter.delivery.network.transport import Answer, Unknown
from tests.support.reused_databases import Databases
from tests.support.scripted_transport import OK, ScriptedTransport


def with_more_time(receiver: Any) -> Any:
    """Return the receiver with more time to answer, for tests of something else than that."""
    return transport_for(receiver, answer_seconds=10)


@dataclass(kw_only=True)
class Acme:
    """A product whose receiver answers 204 or, for an event, as it is told."""

    leanbe: Leanbe
    product: Product
    answers: dict[str, Any]


@pytest.fixture
def acme() -> Iterator[Acme]:
    with Leanbe(seed=1) as leanbe:
        answers: dict[str, Any] = {}

        def receive(request: ReceivedRequest) -> Any:
            return answers.get(request.envelope("whsec_test").event)

        product = leanbe.products.create(
            "Acme", webhook=with_more_time(receive), secret="whsec_test"
        )
        yield Acme(leanbe=leanbe, product=product, answers=answers)


def failure(act: Callable[[], object]) -> str:
    """Return what the assertion says that fails."""
    with pytest.raises(AssertionError) as caught:
        act()
    return str(caught.value)


def id_ending(acme: Acme, event: str) -> str:
    """Return the end of the id of an event's last delivery."""
    return acme.leanbe.deliveries.last(event).id[-6:]


def test_assert_delivered_returns_the_deliveries_in_their_order(acme: Acme) -> None:
    deliveries = [acme.leanbe.trigger("idea.created") for _ in range(2)]
    acme.leanbe.trigger("idea.upVoted")
    ids = [each.id for each in deliveries]
    assert [each.id for each in acme.leanbe.assert_delivered("idea.created", times=2)] == ids
    assert len(acme.leanbe.assert_delivered("idea.*")) == 3
    acme.leanbe.assert_delivered("idea.upVoted", times=1)


def test_a_redelivery_is_one_more(acme: Acme) -> None:
    acme.leanbe.trigger("idea.created").redeliver(times=2)
    assert len(acme.leanbe.assert_delivered("idea.created", times=3)) == 3


def test_a_part_of_the_payload_is_enough(acme: Acme) -> None:
    acme.product.ideas.create(title="Dark mode")
    acme.product.ideas.create(title="Light mode")
    acme.leanbe.deliver()
    (found,) = acme.leanbe.assert_delivered("idea.created", payload={"title": "Dark mode"})
    assert found.event.payload["title"] == "Dark mode"
    acme.leanbe.refute_delivered("idea.created", payload={"title": "No mode"})


def test_a_failure_tells_what_was_delivered_instead_nearest_first(acme: Acme) -> None:
    for event in ("customer.created", "idea.downVoted", "idea.created"):
        acme.leanbe.trigger(event)
    said = failure(lambda: acme.leanbe.assert_delivered("idea.upVoted"))
    assert said == (
        "idea.upVoted was not delivered.\n"
        "Delivered:\n"
        f"  idea.downVoted  …{id_ending(acme, 'idea.downVoted')}  delivered: 204\n"
        f"  idea.created  …{id_ending(acme, 'idea.created')}  delivered: 204\n"
        f"  customer.created  …{id_ending(acme, 'customer.created')}  delivered: 204"
    )


def test_a_failure_tells_how_the_nearest_payloads_differ(acme: Acme) -> None:
    acme.leanbe.trigger("idea.upVoted")
    for title in ("Light mode", "Dark mode"):
        acme.product.ideas.create(title=title)
    acme.leanbe.deliver()
    said = failure(
        lambda: acme.leanbe.assert_delivered(
            "idea.created", payload={"title": "Dark mode", "upvotes": 7, "titel": "x"}
        )
    )
    dark, light = (f"  idea.created  …{each}  delivered: 204" for each in endings_of_ideas(acme))
    assert said.splitlines()[:6] == [
        "idea.created with that payload was not delivered.",
        "Delivered:",
        dark,
        "      upvotes: expected 7, got 0",
        "      titel: expected 'x', and it is missing. Did you mean title?",
        light,
    ]
    assert said.splitlines()[-1].startswith("  idea.upVoted  ")


def endings_of_ideas(acme: Acme) -> list[str]:
    """Return the ends of the ids of the two ideas' deliveries, newest first."""
    return [
        each.id[-6:] for each in acme.leanbe.deliveries.list() if each.event.name == "idea.created"
    ]


def test_a_failure_tells_what_was_refused_and_with_which_words(acme: Acme) -> None:
    acme.answers["idea.created"] = (401, '{"detail":"bad signature"}')
    acme.leanbe.trigger("idea.created")
    said = failure(lambda: acme.leanbe.assert_delivered("idea.created"))
    assert said == (
        "idea.created was not delivered.\n"
        "Not delivered:\n"
        f"  idea.created  …{id_ending(acme, 'idea.created')}  "
        'refused: 401 {"detail":"bad signature"}'
    )


def test_a_failure_tells_what_nobody_was_owed() -> None:
    with Leanbe() as leanbe:
        assert failure(lambda: leanbe.assert_delivered("idea.created")) == (
            "idea.created was not delivered.\nNothing was recorded at all."
        )
        leanbe.products.create("Acme").ideas.create(title="Dark mode")
        said = failure(lambda: leanbe.assert_delivered("idea.created"))
        assert said.endswith(
            "Recorded, and not delivered (their product has no webhook that wants them):\n"
            "  idea.created"
        )


def test_a_wrong_count_shows_what_was_counted(acme: Acme) -> None:
    acme.leanbe.trigger("idea.created").redeliver()
    said = failure(lambda: acme.leanbe.assert_delivered("idea.created", times=1))
    first, second = acme.leanbe.deliveries.list()[::-1]
    assert said == (
        "idea.created was delivered 2 times, and not once.\n"
        "These are:\n"
        f"  idea.created  …{first.id[-6:]}  delivered: 204\n"
        f"  idea.created  …{second.id[-6:]}  delivered: 204"
    )


def test_long_lists_are_cut(acme: Acme) -> None:
    for _ in range(12):
        acme.leanbe.trigger("idea.created")
    said = failure(lambda: acme.leanbe.refute_delivered("idea.created"))
    assert said.splitlines()[0] == "idea.created was delivered 12 times, and was not to be."
    assert said.splitlines()[-1] == "  and 2 more lines"


def test_an_undelivered_event_is_refuted(acme: Acme) -> None:
    acme.leanbe.trigger("idea.created")
    acme.leanbe.refute_delivered("customer.*")
    said = failure(lambda: acme.leanbe.refute_delivered("idea.*"))
    assert said.startswith("idea.* was delivered once, and was not to be.\nThese are:\n  idea.cr")


def test_an_event_that_may_have_arrived_is_not_refuted() -> None:
    with Leanbe(transport=ScriptedTransport(Unknown("no answer"), Answer(status=500))) as leanbe:
        leanbe.products.create("Acme", webhook_url="http://a.test/")
        leanbe.trigger("idea.created")
        leanbe.trigger("customer.created")
        leanbe.refute_delivered("customer.*")
        assert "unknown: no answer" in failure(lambda: leanbe.refute_delivered("idea.*"))


def test_a_refusal_is_the_last_answer(acme: Acme) -> None:
    acme.answers.update({"idea.created": 401, "customer.created": 410})
    for event in ("idea.created", "customer.created", "idea.updated"):
        acme.leanbe.trigger(event)
    (found,) = acme.leanbe.assert_refused("idea.*")
    assert found.event.name == "idea.created"
    acme.leanbe.assert_refused("*", times=2)
    acme.leanbe.assert_refused("*", status=410, times=1)
    said = failure(lambda: acme.leanbe.assert_refused("idea.created", status=403))
    assert said.startswith("idea.created was not refused with 403.\n")
    assert "refused: 401" in said
    assert failure(lambda: acme.leanbe.assert_refused("idea.updated")).startswith(
        "idea.updated was not refused.\n"
    )


def test_a_delivery_that_was_accepted_after_a_refusal_is_not_refused() -> None:
    transport = ScriptedTransport(Answer(status=500), OK)
    with Leanbe(transport=transport, assume={"backoff": "0s"}) as leanbe:
        leanbe.products.create("Acme", webhook_url="http://a.test/")
        leanbe.trigger("idea.created")
        leanbe.deliver()
        leanbe.assert_delivered("idea.created")
        assert "delivered at attempt 2: 204" in failure(
            lambda: leanbe.assert_refused("idea.created")
        )


def test_an_order_lets_others_between(acme: Acme) -> None:
    for event in ("idea.created", "customer.created", "idea.upVoted", "idea.created"):
        acme.leanbe.trigger(event)
    acme.leanbe.assert_order(["idea.created", "idea.upVoted"])
    acme.leanbe.assert_order(["customer.*", "idea.*", "idea.created"])
    acme.leanbe.assert_order(["idea.created", "idea.created"])


def test_an_order_that_was_another_is_shown(acme: Acme) -> None:
    for event in ("idea.upVoted", "idea.created"):
        acme.leanbe.trigger(event)
    said = failure(lambda: acme.leanbe.assert_order(["idea.created", "idea.upVoted"]))
    assert said == (
        "idea.upVoted was not delivered after idea.created.\n"
        "Delivered, in this order:\n"
        f"  idea.upVoted  …{id_ending(acme, 'idea.upVoted')}  delivered: 204\n"
        f"  idea.created  …{id_ending(acme, 'idea.created')}  delivered: 204"
    )
    said = failure(lambda: acme.leanbe.assert_order(["idea.created", "idea.created"]))
    assert said.startswith("idea.created was not delivered after idea.created.\n")
    said = failure(lambda: acme.leanbe.assert_order(["idea.created", "idea.deleted"]))
    assert said.startswith("idea.deleted was not delivered at all.\n")


def test_the_order_is_that_in_which_they_were_accepted() -> None:
    transport = ScriptedTransport(Answer(status=500), OK, OK)
    with Leanbe(transport=transport, assume={"backoff": "0s"}) as leanbe:
        leanbe.products.create("Acme", webhook_url="http://a.test/")
        first = leanbe.trigger("idea.created")
        leanbe.trigger("idea.upVoted")
        leanbe.deliver()
        assert leanbe.deliveries.get(first).delivered
        leanbe.assert_order(["idea.upVoted", "idea.created"])


def test_an_order_is_whole_though_somebody_elses_transaction_is_open(databases: Databases) -> None:
    with databases.empty() as url, Leanbe(url, transport=ScriptedTransport()) as leanbe:
        leanbe.products.create("Acme", webhook_url="http://a.test/")
        with leanbe._database.engine.begin() as somebody_else:
            somebody_else.execute(text("SELECT pg_current_xact_id()"))
            for event in ("idea.created", "idea.upVoted"):
                leanbe.trigger(event)
            leanbe.assert_order(["idea.created", "idea.upVoted"])


@pytest.mark.parametrize(
    "assertion",
    [
        lambda leanbe: leanbe.assert_delivered("idea.created"),
        lambda leanbe: leanbe.refute_delivered("customer.*"),
        lambda leanbe: leanbe.assert_refused("idea.created"),
        lambda leanbe: leanbe.assert_order(["idea.created", "idea.upVoted"]),
    ],
    ids=["delivered", "refute", "refused", "order"],
)
def test_nothing_is_asserted_while_something_is_due(
    acme: Acme, assertion: Callable[[Leanbe], object]
) -> None:
    acme.answers["customer.created"] = 500
    acme.leanbe.trigger("customer.created")  # due later, and so not among them
    ideas = [acme.product.ideas.create(title=title) for title in ("Dark mode", "Light mode")]
    acme.product.ideas.upvote(ideas[0])
    with pytest.raises(EventsNotDelivered) as caught:
        assertion(acme.leanbe)
    assert str(caught.value) == (
        "3 recorded events are still due: idea.created, idea.upVoted. "
        "Call leanbe.deliver() before you assert."
    )


def test_a_delivery_due_later_is_not_due(acme: Acme) -> None:
    acme.answers["idea.created"] = 500
    acme.leanbe.trigger("idea.created")
    acme.leanbe.assert_refused("idea.created", status=500, times=1)


@pytest.mark.parametrize(
    "assertion",
    [
        lambda leanbe: leanbe.assert_delivered("idea.upvoted"),
        lambda leanbe: leanbe.refute_delivered("idea.upvoted"),
        lambda leanbe: leanbe.assert_refused("idea.upvoted"),
        lambda leanbe: leanbe.assert_order(["idea.created", "idea.upvoted"]),
    ],
    ids=["delivered", "refute", "refused", "order"],
)
def test_an_event_that_does_not_exist_is_an_error(
    acme: Acme, assertion: Callable[[Leanbe], object]
) -> None:
    with pytest.raises(InvalidValue, match=r"Did you mean idea\.upVoted"):
        assertion(acme.leanbe)


def test_a_meaningless_assertion_is_an_error(acme: Acme) -> None:
    with pytest.raises(InvalidValue, match=r"refute_delivered\('idea.created'\) asserts that"):
        acme.leanbe.assert_delivered("idea.created", times=0)
    for events in (["idea.created"], "idea.created"):
        with pytest.raises(InvalidValue, match="has no order"):
            acme.leanbe.assert_order(events)


def test_only_the_product_that_is_named_counts(acme: Acme) -> None:
    other = acme.leanbe.products.create("Other", webhook=with_more_time(lambda _: 204))
    acme.leanbe.trigger("idea.created", product=other)
    acme.leanbe.trigger("idea.upVoted", product=acme.product)
    acme.leanbe.assert_delivered("idea.created", product=other, times=1)
    acme.leanbe.refute_delivered("idea.created", product="Acme")
    acme.leanbe.refute_delivered("idea.upVoted", product=other)
    with pytest.raises(AssertionError, match=r"idea\.upVoted was not delivered at all"):
        acme.leanbe.assert_order(["idea.created", "idea.upVoted"], product=other)
    said = failure(lambda: acme.leanbe.assert_delivered("idea.created", product=acme.product))
    assert "idea.created  …" not in said


def test_deliveries_of_a_deleted_product_hide_no_others() -> None:
    with Leanbe(transport=ScriptedTransport()) as leanbe:
        gone = leanbe.products.create("Gone", webhook_url="http://a.test/")
        for _ in range(260):  # more than is read of the journal at once
            leanbe.trigger("idea.created", product=gone)
        leanbe.products.delete(gone)
        leanbe.products.create("There", webhook_url="http://a.test/")
        leanbe.trigger("idea.created")
        leanbe.trigger("idea.upVoted")
        leanbe.assert_order(["idea.created", "idea.upVoted"])
