"""Jobs that redeliver: broken off and started again, no event is delivered twice."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from leanbe_emitter import (
    Conflict,
    Delivery,
    Filter,
    InvalidValue,
    Job,
    Leanbe,
    Product,
    Redelivered,
    TriggerRequest,
)
from leanbe_emitter.delivery.watching import Attempt, Watcher
from leanbe_emitter.library.deliveries import redelivery
from leanbe_emitter.storage.schema.tables import RedeliveryRow
from tests.support.concurrency import call_at_once
from tests.support.loopback_receiver import LoopbackReceiver

EVENTS = 5
DELIVERED = Filter(status="delivered")
BROKEN_OFF = 2


@pytest.fixture
def old(leanbe: Leanbe, product: Product, receiver: LoopbackReceiver) -> list[bytes]:
    """The bodies of events that were delivered."""
    names = ["idea.created", "idea.updated"]
    leanbe.trigger_all(TriggerRequest(events=names, times=EVENTS, product=product))
    bodies = receiver.bodies[:]
    receiver.requests.clear()
    return bodies


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redelivery, "BATCH", 3)


class Breaking(Watcher):
    """A watcher that breaks the run off after some attempts."""

    def __init__(self) -> None:
        self.left = BROKEN_OFF

    def ended(self, _: Attempt) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def by_filter(name: str = "job", which: Filter = DELIVERED) -> Job:
    return Job(name=name, which=which)


@pytest.mark.usefixtures("small_batches")
def test_a_job_delivers_each_event_again_with_the_same_bytes(
    leanbe: Leanbe, receiver: LoopbackReceiver, old: list[bytes]
) -> None:
    assert leanbe.deliveries.redeliver(by_filter()) == Redelivered(made=2 * EVENTS)
    assert sorted(receiver.bodies) == sorted(old)
    assert len(leanbe.deliveries.list()) == 4 * EVENTS


@pytest.mark.usefixtures("small_batches")
def test_started_again_it_makes_no_delivery_twice(
    leanbe: Leanbe, receiver: LoopbackReceiver, old: list[bytes]
) -> None:
    leanbe.deliveries.redeliver(by_filter())
    assert leanbe.deliveries.redeliver(by_filter()) == Redelivered()
    assert len(receiver.requests) == len(old)


@pytest.mark.usefixtures("small_batches")
def test_broken_off_it_goes_on_where_it_ended(
    leanbe: Leanbe, receiver: LoopbackReceiver, old: list[bytes]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        leanbe.deliveries.redeliver(by_filter(), watcher=Breaking())
    assert len(receiver.requests) == BROKEN_OFF
    assert leanbe.deliveries.redeliver(by_filter()) == Redelivered(made=2 * EVENTS - 3)
    assert sorted(receiver.bodies) == sorted(old)


def test_a_jobs_deliveries_in_flight_elsewhere_are_counted_and_left_there(
    leanbe: Leanbe, receiver: LoopbackReceiver, old: list[bytes]
) -> None:
    leanbe.deliveries.redeliver(by_filter(), deliver=False)
    held = leanbe._engine.queue.claim_one(leanbe.deliveries.last().id)
    assert leanbe.deliveries.redeliver(by_filter()) == Redelivered(still_pending=1)
    assert len(receiver.requests) == len(old) - 1
    leanbe._engine.queue.release([held] if held else [])
    assert leanbe.deliveries.redeliver(by_filter()) == Redelivered()
    assert sorted(receiver.bodies) == sorted(old)


def test_a_job_with_another_filter_makes_no_attempts_of_pending_deliveries(
    leanbe: Leanbe, receiver: LoopbackReceiver, old: list[bytes]
) -> None:
    assert leanbe.deliveries.redeliver(by_filter(), deliver=False).still_pending == len(old)
    with pytest.raises(Conflict):
        leanbe.deliveries.redeliver(by_filter(which=Filter()))
    assert receiver.requests == []


def test_a_job_attempts_all_of_a_strict_product_in_its_order(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver, old: list[bytes]
) -> None:
    leanbe.assumptions.set("ordering", "strict", product=product)
    assert leanbe.deliveries.redeliver(by_filter()) == Redelivered(made=len(old))
    assert receiver.bodies == old


def test_another_job_delivers_once_more_and_each_event_once(
    leanbe: Leanbe, receiver: LoopbackReceiver, old: list[bytes]
) -> None:
    leanbe.deliveries.redeliver(by_filter("first"))
    assert leanbe.deliveries.redeliver(by_filter("second")).made == len(old)
    assert len(receiver.requests) == 2 * len(old)


def test_a_job_may_name_its_deliveries(leanbe: Leanbe, old: list[bytes]) -> None:
    first, second, *_ = leanbe.deliveries.list()
    job = Job(name="job", references=[first, second.id])
    assert leanbe.deliveries.redeliver(job).made == 2
    assert leanbe.deliveries.redeliver(job).made == 0
    more = Job(name="more", references=[first], which=DELIVERED)
    assert leanbe.deliveries.redeliver(more).made == len(old)


OTHERS = [
    (Job(name="job"), "by id"),
    (by_filter(which=Filter()), "all"),
    (by_filter(which=Filter(status="exhausted")), "status exhausted"),
    (by_filter(which=Filter(status="delivered", event="idea.*")), "status delivered, event idea.*"),
    (by_filter(which=Filter(is_settled=True)), "settled true"),
]


@pytest.mark.parametrize(("other", "asked"), OTHERS, ids=[asked for _, asked in OTHERS])
def test_a_jobs_name_is_not_used_for_another_filter(
    leanbe: Leanbe, receiver: LoopbackReceiver, old: list[bytes], other: Job, asked: str
) -> None:
    leanbe.deliveries.redeliver(by_filter())
    job = replace(other, references=[leanbe.deliveries.last()] if asked == "by id" else [])
    for act in (leanbe.deliveries.redeliver, leanbe.deliveries.redeliver_dry_run):
        with pytest.raises(Conflict) as refused:
            act(job)
        said = f"The job 'job' redelivers: status delivered. This asks for: {asked}."
        assert refused.value.message == said
    assert len(receiver.requests) == len(old)


def test_a_job_goes_on_for_the_same_product_and_however_old_what_it_finds_is(
    leanbe: Leanbe, product: Product, old: list[bytes]
) -> None:
    since, later = (leanbe.clock.now() - timedelta(days=days) for days in (2, 1))
    leanbe.deliveries.redeliver(by_filter(which=Filter(product=product, since=since)))
    named = Filter(product=product.name, since=later)
    assert leanbe.deliveries.redeliver(by_filter(which=named)) == Redelivered()
    globex = leanbe.products.create("Globex")
    said = f"product {product.id}, since an instant. This asks for: product {globex.id}, since"
    with pytest.raises(Conflict, match=said):
        leanbe.deliveries.redeliver(by_filter(which=Filter(product=globex, since=since)))
    assert old


def test_whether_a_job_has_an_age_at_all_is_compared(leanbe: Leanbe, old: list[bytes]) -> None:
    since = leanbe.clock.now() - timedelta(days=1)
    leanbe.deliveries.redeliver(by_filter(which=Filter(since=since)))
    for other, asked in ((Filter(), "all"), (Filter(event="*"), "event \\*")):
        with pytest.raises(Conflict, match=f"redelivers: since an instant. .* for: {asked}[.]"):
            leanbe.deliveries.redeliver(by_filter(which=other))
    assert old


def test_a_job_of_an_older_version_goes_on_whatever_it_is_asked(
    leanbe: Leanbe, old: list[bytes]
) -> None:
    leanbe.deliveries.redeliver(by_filter())
    with leanbe._database.transaction() as session:
        session.execute(update(RedeliveryRow).values(asked=None))
    assert leanbe.deliveries.redeliver(by_filter(which=Filter(event="*.updated"))).made == 0
    assert old


def test_a_filter_narrows_it_down(
    leanbe: Leanbe, receiver: LoopbackReceiver, old: list[bytes]
) -> None:
    assert old
    updated = by_filter(which=Filter(event="*.updated"))
    assert leanbe.deliveries.redeliver(updated).made == EVENTS
    assert {each.verified("whsec_test").event for each in receiver.requests} == {"idea.updated"}
    exhausted = by_filter("exhausted", which=Filter(status="exhausted"))
    assert leanbe.deliveries.redeliver(exhausted) == Redelivered()


@pytest.mark.usefixtures("small_batches")
def test_a_rehearsal_lists_what_a_run_would_make_and_makes_nothing(
    leanbe: Leanbe, receiver: LoopbackReceiver, old: list[bytes]
) -> None:
    listed = leanbe.deliveries.redeliver_dry_run(by_filter())
    assert sorted(each.event.body for each in listed) == sorted(old)
    assert receiver.requests == []
    leanbe.deliveries.redeliver(by_filter())
    assert leanbe.deliveries.redeliver_dry_run(by_filter()) == []


def test_a_rehearsal_goes_on_by_its_cursor_and_lists_each_event_once(
    leanbe: Leanbe, old: list[bytes]
) -> None:
    leanbe.deliveries.redeliver(by_filter("before"))
    whole = leanbe.deliveries.redeliver_dry_run(by_filter())
    assert (len(whole), whole.cursor) == (len(old), None)
    listed: list[Delivery] = []
    after = None
    for size in (4, 4, 2):
        page = leanbe.deliveries.redeliver_dry_run(by_filter(), limit=4, after=after)
        assert len(page) == size
        listed, after = [*listed, *page], page.cursor
    assert (listed, after) == (whole, None)
    with pytest.raises(InvalidValue, match="no cursor"):
        leanbe.deliveries.redeliver_dry_run(by_filter(), after="soon")
    with pytest.raises(InvalidValue, match="list of 0"):
        leanbe.deliveries.redeliver_dry_run(by_filter(), limit=0)


def test_deliveries_of_a_product_without_a_url_are_passed_over_and_counted(
    leanbe: Leanbe, product: Product, old: list[bytes]
) -> None:
    leanbe.webhooks.clear(product)
    assert leanbe.deliveries.redeliver(by_filter()) == Redelivered(without_url=len(old))


@pytest.mark.usefixtures("small_batches")
def test_a_rehearsal_passes_over_what_has_no_url_now(
    leanbe: Leanbe, product: Product, receiver: LoopbackReceiver, old: list[bytes]
) -> None:
    globex = leanbe.products.create("Globex", webhook_url=receiver.url)
    leanbe.trigger("okr.created", product=globex)
    assert old
    leanbe.webhooks.clear(product)
    listed = leanbe.deliveries.redeliver_dry_run(by_filter())
    assert [each.event.name for each in listed] == ["okr.created"]
    assert leanbe.deliveries.redeliver(by_filter()).made == 1


def test_a_job_makes_no_attempts_inside_a_transaction(leanbe: Leanbe, old: list[bytes]) -> None:
    assert old
    with leanbe.transaction(), pytest.raises(Conflict):
        leanbe.deliveries.redeliver(by_filter())


def test_the_same_job_run_twice_at_once_delivers_each_event_once(
    leanbe: Leanbe, db: str, receiver: LoopbackReceiver, old: list[bytes]
) -> None:
    if db == ":memory:":
        pytest.skip("a database in memory has one handle")

    def run() -> object:
        with Leanbe(db) as other:
            return other.deliveries.redeliver(by_filter())

    call_at_once(run, run)
    leanbe.deliveries.redeliver(by_filter())
    leanbe.deliver()
    assert sorted(receiver.bodies) == sorted(old)
