"""Deliveries: found, shown, repeated, given up and explained, on every database."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from leanbe_emitter import (
    Conflict,
    Delivery,
    DeliveryStatus,
    Filter,
    InvalidSignature,
    InvalidValue,
    Leanbe,
    ManualClock,
    NotFound,
    Product,
    ReceivedRequest,
    TriggerRequest,
    sign_text,
    verify,
)
from leanbe_emitter.delivery.queue.statements import LEASE_ONE
from leanbe_emitter.wire.explain.explainer import Verdict
from tests.integration.conftest import SECRET
from tests.support.concurrency import until_somebody_waits
from tests.support.loopback_receiver import LoopbackReceiver

START = datetime(2026, 1, 1, tzinfo=UTC)


def queue(leanbe: Leanbe, *events: str, product: Product | None = None) -> list[Delivery]:
    """Record events for a worker; return their deliveries."""
    triggered = leanbe.trigger_all(TriggerRequest(events=events, product=product), deliver=False)
    return [each.delivery for each in triggered if each.delivery is not None]


def test_a_delivery_that_was_refused_waits_for_its_next_attempt(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    receiver.statuses.append(401)
    delivery = leanbe.trigger("idea.created", product=product)
    (attempt,) = delivery.attempts
    assert (delivery.status, delivery.outcome, delivery.delivered) == ("pending", "refused", False)
    assert (attempt.number, attempt.answer_status, attempt.url) == (1, 401, receiver.url)
    assert delivery.next_due_at is not None
    waits = delivery.next_due_at - attempt.started_at
    assert timedelta(seconds=5) <= waits < timedelta(seconds=10)


def test_a_delivery_that_was_not_tried_yet_is_due_and_has_no_outcome(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    (delivery,) = queue(leanbe, "idea.created", product=product)
    assert (delivery.status, delivery.outcome, delivery.attempts) == ("pending", None, ())
    assert delivery.next_due_at == delivery.created_at
    assert delivery.url == receiver.url
    assert receiver.requests == []


def test_an_attempt_that_reaches_nobody_is_unreachable(leanbe: Leanbe) -> None:
    leanbe.products.create("Acme", webhook_url="http://127.0.0.1:1/", assume={"max_attempts": "1"})
    delivery = leanbe.trigger("idea.created")
    assert (delivery.status, delivery.outcome) == ("exhausted", "unreachable")
    assert delivery.next_due_at is None
    assert delivery.attempts[0].error
    assert delivery.attempts[0].answer_status is None


def test_a_delivery_is_named_by_its_id_or_a_part_of_it(leanbe: Leanbe, product: Product) -> None:
    delivery = leanbe.trigger("idea.created", product=product)
    for reference in (delivery, delivery.id, delivery.id[-6:], f"…{delivery.id[-6:]}"):
        assert leanbe.deliveries.get(reference) == delivery
    for reference in ("", "idea.created", "0" * 24, "\0"):
        with pytest.raises(NotFound):
            leanbe.deliveries.get(reference)


def test_the_list_has_the_newest_first_up_to_its_limit(leanbe: Leanbe, product: Product) -> None:
    made = [each.id for each in queue(leanbe, *["idea.created"] * 5, product=product)]
    assert [each.id for each in leanbe.deliveries.list()] == made[::-1]
    assert [each.id for each in leanbe.deliveries.list(limit=2)] == made[:2:-1]
    assert [each.id for each in leanbe.deliveries.list(limit=99)] == made[::-1]
    for limit in (0, -1):
        with pytest.raises(InvalidValue):
            leanbe.deliveries.list(limit=limit)


def test_the_order_is_that_of_time_though_the_clock_was_set_back_within_a_second(
    database_url: str,
) -> None:
    clock = ManualClock(START)
    made: dict[int, str] = {}
    for n in range(12):
        clock.set(START + timedelta(milliseconds=250 * (n * 5 % 12)))
        with Leanbe(database_url, seed=n, clock=clock) as leanbe:
            if n == 0:
                leanbe.products.create("Acme", webhook_url="http://127.0.0.1:1/")
            (made[n * 5 % 12],) = (each.id for each in queue(leanbe, "idea.created"))
    by_time = [made[n] for n in range(12)]
    assert by_time != sorted(by_time)
    with Leanbe(database_url) as leanbe:
        for limit in (1, 2, 5, 12, 20):
            newest = [each.id for each in leanbe.deliveries.list(limit=limit)]
            assert newest == by_time[::-1][:limit]
        assert leanbe.deliveries.last().id == by_time[-1]


def test_filters_are_joined_by_and(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    other = leanbe.products.create("Other", webhook_url=receiver.url)
    created = leanbe.trigger("idea.created", product=product)
    updated = leanbe.trigger("idea.updated", product=other)
    (queued,) = queue(leanbe, "okr.created", product=product)
    receiver.statuses.append(500)
    waiting = leanbe.trigger("okr.updated", product=other)

    def ids(which: Filter) -> set[str]:
        return {each.id for each in leanbe.deliveries.list(which)}

    everything = {created.id, updated.id, queued.id, waiting.id}
    assert ids(Filter()) == everything
    assert ids(Filter(status="delivered")) == {created.id, updated.id}
    assert ids(Filter(status=DeliveryStatus.PENDING)) == {queued.id, waiting.id}
    assert ids(Filter(is_settled=True)) == {created.id, updated.id}
    assert ids(Filter(is_settled=False)) == {queued.id, waiting.id}
    assert ids(Filter(status="pending", is_settled=True)) == set()
    assert ids(Filter(event="idea.*")) == {created.id, updated.id}
    assert ids(Filter(event="*.created", product="Acme")) == {created.id, queued.id}
    assert ids(Filter(product=other, status="pending")) == {waiting.id}


def test_a_filter_that_cannot_match_is_refused(leanbe: Leanbe, product: Product) -> None:
    for which in (Filter(status="deliverd"), Filter(event="nonsense.*")):
        with pytest.raises(InvalidValue):
            leanbe.deliveries.list(which)
    with pytest.raises(NotFound):
        leanbe.deliveries.list(Filter(product=f"no {product.name}"))


def test_since_takes_its_instant_in_and_before_leaves_it_out(db: str) -> None:
    clock = ManualClock(START)
    with Leanbe(db, clock=clock) as leanbe:
        leanbe.products.create("Acme", webhook_url="http://127.0.0.1:1/")
        (early,) = queue(leanbe, "idea.created")
        clock.advance(minutes=10)
        (late,) = queue(leanbe, "idea.created")
        then = late.created_at
        assert then == START + timedelta(minutes=10)
        assert [each.id for each in leanbe.deliveries.list(Filter(since=then))] == [late.id]
        assert [each.id for each in leanbe.deliveries.list(Filter(before=then))] == [early.id]


def test_the_last_delivery_is_the_newest_of_its_event(leanbe: Leanbe, product: Product) -> None:
    with pytest.raises(NotFound, match="no delivery yet"):
        leanbe.deliveries.last()
    first, second, third = queue(leanbe, "idea.created", "idea.upVoted", "okr.created")
    assert leanbe.deliveries.last() == third
    assert leanbe.deliveries.last("idea.*") == second
    assert leanbe.deliveries.last("idea.created") == first
    with pytest.raises(NotFound, match=r"customer\.\*"):
        leanbe.deliveries.last("customer.*")
    assert first.event.product_id == product.id


@pytest.mark.parametrize(
    "db", ["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.prove)], indirect=True
)
def test_many_deliveries_are_read_by_their_ids_in_the_order_asked_for(
    leanbe: Leanbe, product: Product
) -> None:
    made = [each.id for each in queue(leanbe, *["idea.created"] * 3, product=product)]
    # More than the 65 535 parameters that PostgreSQL takes.
    gone = [f"{number:024x}" for number in range(70_000)]
    found = leanbe.deliveries.of([made[2], *gone, *made[:2]])
    assert [each.id for each in found] == [made[2], *made[:2]]


def test_a_snapshot_stays_as_it_was(leanbe: Leanbe, product: Product) -> None:
    (before,) = queue(leanbe, "idea.created", product=product)
    leanbe.deliver()
    assert before.status == "pending"
    assert leanbe.deliveries.get(before).delivered
    assert len({before, leanbe.deliveries.get(before)}) == 2


def test_a_document_tells_all_of_a_delivery_but_the_secret(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    delivery = leanbe.trigger("idea.created", product=product)
    document = delivery.document()
    assert (document["_id"], document["status"]) == (delivery.id, "delivered")
    assert (document["nextDueAt"], document["url"]) == (None, receiver.url)
    (attempt,) = document["attempts"]
    assert attempt["request"]["body"].encode() == receiver.bodies[0]
    assert attempt["answer"]["status"] == 204
    assert SECRET not in repr(document)


def test_a_header_that_the_product_set_is_named_in_documents_and_known_to_python(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    own = [("Authorization", "Bearer t0ken"), ("X-Env", "test"), ("User-Agent", "Leanbe")]
    leanbe.webhooks.set(product, receiver.url, headers=own)
    (attempt,) = leanbe.trigger("idea.created", product=product).attempts
    shown = [tuple(each) for each in attempt.document()["request"]["headers"]]
    masked = [("Authorization", "********"), ("X-Env", "********")]
    assert list(attempt.request_headers) == [*shown[:4], *own[:2]]
    assert shown[4:] == masked
    assert dict(shown[:4])["User-Agent"] == "Leanbe"


def test_an_echo_of_a_products_own_header_is_masked_in_all_output(leanbe: Leanbe) -> None:
    def echoing(request: ReceivedRequest) -> tuple[int, str]:
        return 401, f"{request.header('Authorization')}, or the token t0ken-of-ours; staging"

    product = leanbe.products.create("Echo", webhook=echoing)
    own = [("Authorization", "Bearer t0ken-of-ours"), ("X-Env", "stage")]
    leanbe.webhooks.set(product, product.webhook.url or "", headers=own)
    (attempt,) = leanbe.trigger("idea.created", product=product).attempts
    answer = attempt.document()["answer"]
    assert answer["body"] == "********, or the token ********; staging"
    assert b"Bearer t0ken-of-ours, or" in (attempt.answer_body or b"")
    with pytest.raises(AssertionError) as caught:
        leanbe.assert_delivered("idea.created")
    assert "t0ken" not in str(caught.value)


@pytest.mark.parametrize("location", ["header", "both"])
def test_a_signature_in_a_header_stays_readable_beside_a_secret_of_that_name(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver, location: str
) -> None:
    assume = {"signature_location": location, "signature_header": "X-Signed"}
    leanbe.webhooks.set(product, receiver.url, headers=[("x-signed", "abc")])
    (attempt,) = leanbe.trigger("idea.created", product=product, assume=assume).attempts
    signature, own = attempt.document()["request"]["headers"][4:]
    assert signature == list(attempt.request_headers[4])
    assert own == ["x-signed", "********"]


def test_a_header_is_the_products_own_where_the_signature_is_in_the_body(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    leanbe.webhooks.set(product, receiver.url, headers=[("X-Leanbe-Signature", "a" * 64)])
    (attempt,) = leanbe.trigger("idea.created", product=product).attempts
    assert attempt.document()["request"]["headers"][4:] == [["X-Leanbe-Signature", "********"]]


# Redelivered


def test_a_redelivery_is_a_delivery_of_its_own_with_the_same_bytes_to_the_present_url(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    old = leanbe.trigger("idea.created")
    leanbe.webhooks.rotate(product)
    with LoopbackReceiver.listening() as elsewhere:
        leanbe.webhooks.set(product, elsewhere.url)
        (new,) = leanbe.deliveries.redeliver(old.id[-6:])
    assert new.id != old.id
    assert new.event == old.event
    assert new.delivered
    assert new.attempts[0].url == elsewhere.url
    assert elsewhere.bodies == receiver.bodies
    assert leanbe.deliveries.get(old) == old


def test_a_delivery_is_redelivered_as_often_as_asked(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    again = leanbe.trigger("idea.created", product=product).redeliver(times=3)
    assert [each.delivered for each in again] == [True] * 3
    assert receiver.bodies == receiver.bodies[:1] * 4
    assert len(leanbe.deliveries.list()) == 4


def test_several_deliveries_are_redelivered_at_once_or_none(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    first, second = queue(leanbe, "idea.created", "idea.updated", product=product)
    new = leanbe.deliveries.redeliver(second, first.id)
    assert [each.event.name for each in new] == ["idea.updated", "idea.created"]
    with pytest.raises(NotFound):
        leanbe.deliveries.redeliver(first, "0" * 24)
    assert len(leanbe.deliveries.list()) == 4
    assert len(receiver.requests) == 2


def test_without_a_url_nothing_is_redelivered(leanbe: Leanbe, product: Product) -> None:
    delivery = leanbe.trigger("idea.created")
    leanbe.webhooks.clear(product)
    with pytest.raises(Conflict, match="no webhook URL"):
        delivery.redeliver()
    assert leanbe.deliveries.list() == [delivery]


# Given up


def test_pending_deliveries_are_discarded_by_name(leanbe: Leanbe, product: Product) -> None:
    accepted = leanbe.trigger("idea.created", product=product)
    one, other = queue(leanbe, "idea.created", "idea.updated")
    assert [each.id for each in leanbe.deliveries.discard([one])] == [one.id]
    statuses = [each.status for each in leanbe.deliveries.of([accepted.id, one.id, other.id])]
    assert statuses == ["delivered", "cancelled", "pending"]
    assert len(leanbe.deliver()) == 1


def test_pending_deliveries_are_discarded_by_filter(leanbe: Leanbe, product: Product) -> None:
    queue(leanbe, "idea.created", "idea.updated", "okr.created", product=product)
    gone = leanbe.deliveries.discard(which=Filter(event="idea.*"))
    assert {each.event.name for each in gone} == {"idea.created", "idea.updated"}
    assert {each.status for each in gone} == {"cancelled"}
    assert [each.event.name for each in leanbe.deliveries.list(Filter(status="pending"))] == [
        "okr.created"
    ]


def test_discarding_a_settled_delivery_by_name_is_refused_and_discards_nothing(
    leanbe: Leanbe, product: Product
) -> None:
    accepted = leanbe.trigger("idea.created", product=product)
    one, other = queue(leanbe, "idea.created", "idea.updated")
    with pytest.raises(Conflict, match=f"{accepted.id} is delivered already"):
        leanbe.deliveries.discard([one, accepted])
    leanbe.deliveries.discard([one])
    held = leanbe._engine.queue.claim_one(other.id)
    with pytest.raises(Conflict, match=f"{other.id} is in flight"):
        leanbe.deliveries.discard([other])
    leanbe._engine.queue.release([held] if held else [])
    with leanbe.transaction():
        leanbe.deliveries.discard([other])
        with pytest.raises(Conflict, match="cancelled already"):
            leanbe.deliveries.discard([other])
    assert leanbe.deliveries.discard(which=Filter(event="*")) == []


def test_a_claim_by_a_worker_meanwhile_refuses_all_named_discards(postgresql_ready: str) -> None:
    with Leanbe(postgresql_ready) as leanbe, Leanbe(postgresql_ready) as other:
        leanbe.products.create("Acme", webhook_url="http://127.0.0.1:1/")
        one, claimed = queue(leanbe, "idea.created", "idea.updated")
        lease = other._engine.new_lease()
        key = {"id": claimed.id, "now": 0, "token": lease.token, "until": lease.until}
        with ThreadPoolExecutor(1) as thread:
            with other._database.transaction() as session:
                session.execute(LEASE_ONE, key)
                discarding = thread.submit(leanbe.deliveries.discard, [one, claimed])
                until_somebody_waits(postgresql_ready)
            with pytest.raises(Conflict, match=f"{claimed.id} is in flight"):
                discarding.result()
        assert leanbe.deliveries.get(one).status == "pending"


def test_a_name_that_is_wrong_discards_nothing(leanbe: Leanbe, product: Product) -> None:
    (delivery,) = queue(leanbe, "idea.created", product=product)
    with pytest.raises(NotFound):
        leanbe.deliveries.discard([delivery, "0" * 24])
    assert leanbe.deliveries.get(delivery).status == "pending"
    assert leanbe.deliveries.discard() == []


def test_a_delivery_that_waits_for_a_retry_is_discarded(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    receiver.statuses.append(500)
    delivery = leanbe.trigger("idea.created", product=product)
    (gone,) = leanbe.deliveries.discard([delivery])
    assert (gone.status, gone.next_due_at, len(gone.attempts)) == ("cancelled", None, 1)


# Made again by hand, and explained


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_sends_the_same_request_again(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver
) -> None:
    leanbe.webhooks.set(product, receiver.url, headers=[("X-Quote", 'it\'s "here" $HOME')])
    delivery = leanbe.trigger("idea.created", set={"title": "it's $HOME `id` \\ 😀"})
    subprocess.run(["sh", "-c", delivery.code().text], check=True, env={"PATH": os.environ["PATH"]})
    first, again = receiver.requests
    assert again.body == first.body
    assert again.method == first.method
    for name in ("Content-Type", "X-Quote", "User-Agent", "Host"):
        assert again.headers[name] == first.headers[name]


def test_curl_knows_the_request_before_it_was_made(leanbe: Leanbe, product: Product) -> None:
    (delivery,) = queue(leanbe, "idea.created", product=product)
    expected = delivery.code().text
    leanbe.deliver()
    assert leanbe.deliveries.get(delivery).code().text == expected


def test_curl_has_nothing_to_send_to_without_a_url(leanbe: Leanbe, product: Product) -> None:
    (delivery,) = queue(leanbe, "idea.created")
    leanbe.webhooks.clear(product)
    with pytest.raises(Conflict):
        leanbe.deliveries.get(delivery).code()


def test_a_deleted_products_delivery_is_not_found(leanbe: Leanbe, product: Product) -> None:
    delivery = leanbe.trigger("idea.created")
    leanbe.products.delete(product)
    for call in (
        delivery.code,
        delivery.signature,
        delivery.explain,
        delivery.signed_text,
        delivery.redeliver,
    ):
        with pytest.raises(NotFound):
            call()


def test_a_sound_delivery_is_explained_as_sound(leanbe: Leanbe, product: Product) -> None:
    leanbe.products.create("Twin", webhook_url="http://127.0.0.1:1/", secret=SECRET)
    leanbe.webhooks.rotate(product, secret="whsec_other")
    leanbe.webhooks.rotate(product, secret=SECRET)
    delivery = leanbe.trigger("idea.created", product=product)
    explanation = delivery.explain()
    assert explanation.verdict is Verdict.BODY_SOUND
    right = sign_text(delivery.event.payload_text, SECRET)
    assert not any(right in candidate.signatures for candidate in explanation.mistakes)


def test_a_receiver_that_still_uses_the_old_secret_is_explained(
    leanbe: Leanbe, product: Product
) -> None:
    leanbe.webhooks.rotate(product, secret="whsec_new")
    delivery = leanbe.trigger("idea.created")
    got = sign_text(delivery.event.payload_text, SECRET)
    explanation = delivery.explain(got=got)
    assert explanation.verdict is Verdict.MISTAKE_FOUND
    assert "old secret of this product" in explanation.mistakes[0].what


def test_a_receiver_that_uses_another_products_secret_is_explained(
    leanbe: Leanbe, product: Product
) -> None:
    leanbe.products.create("Other", webhook_url="http://127.0.0.1:1/", secret="whsec_other")
    delivery = leanbe.trigger("idea.created", product=product)
    explanation = delivery.explain(got=sign_text(delivery.event.payload_text, "whsec_other"))
    assert "the product 'Other'" in explanation.mistakes[0].what
    assert "whsec" not in repr(explanation)


def test_a_body_signed_before_a_rotation_is_explained(leanbe: Leanbe, product: Product) -> None:
    (delivery,) = queue(leanbe, "idea.created")
    leanbe.webhooks.rotate(product)
    with pytest.raises(InvalidSignature):
        verify(delivery.event.body, leanbe.products.get(product).webhook.secret or "")
    explanation = delivery.explain()
    assert explanation.verdict is Verdict.BODY_UNSOUND
    assert "old secret of this product" in explanation.mistakes[0].what


def test_a_redelivery_during_a_clearing_is_refused_or_cancelled(postgresql_ready: str) -> None:
    with Leanbe(postgresql_ready) as one, Leanbe(postgresql_ready) as other:
        product = one.products.create("Acme", webhook_url="http://127.0.0.1:1/")
        (delivery,) = queue(one, "idea.created")
        with ThreadPoolExecutor(1) as thread:
            with one.transaction():
                one.webhooks.clear(product)
                redelivering = thread.submit(other.deliveries.redeliver, delivery.id)
                until_somebody_waits(postgresql_ready)
            assert isinstance(redelivering.exception(), Conflict)
        assert [each.status for each in one.deliveries.list()] == ["cancelled"]
