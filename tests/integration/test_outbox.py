"""The outbox: events, bodies and deliveries, written in the caller's transaction."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event as on
from sqlalchemy import text

from leanbe_emitter.clock import from_milliseconds, to_milliseconds
from leanbe_emitter.domain import webhooks
from leanbe_emitter.errors import NotFound
from leanbe_emitter.ids import Ids
from leanbe_emitter.outbox import Lease, record, redeliver
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.queries import emission
from leanbe_emitter.storage.schema.states import DeliveryState, JournalKind
from leanbe_emitter.storage.schema.tables import ProductRow
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.envelope import seal, verify
from tests.support.engine_setup import SECRET, START_AT, URL, Bench, claim, new_event
from tests.support.waiting import PATIENCE_SECONDS, wait_until

TABLES = ("events", "deliveries", "journal")


@contextmanager
def statements_of(database: Database) -> Iterator[list[str]]:
    """Collect the statements that are sent to the database while the block lasts."""
    seen: list[str] = []

    def note(*event: object) -> None:
        statement = str(event[2])
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    on.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        on.remove(database.engine, "before_cursor_execute", note)


def times_of(
    bench: Bench, product: str, count: int = 1, *, document_updated_at: int = 0
) -> list[int]:
    recorded = bench.record(
        *[new_event(product, n=n, document_updated_at=document_updated_at) for n in range(count)]
    )
    return [bench.event(each.event_id).triggered_at for each in recorded]


def test_an_event_that_the_caller_rolls_back_was_never_recorded(bench: Bench) -> None:
    product = bench.product()
    bench.roll_back(new_event(product))
    assert [bench.rows(table) for table in TABLES] == [0, 0, 0]
    assert bench.record(new_event(product))[0].sequence == 1


def test_an_event_its_delivery_and_its_entry_come_together(bench: Bench) -> None:
    product = bench.product()
    (recorded,) = bench.record(new_event(product))
    (entry,) = bench.journal()
    assert recorded.delivery_id is not None
    assert bench.delivery(recorded.delivery_id).state is DeliveryState.NEW
    assert entry.kind is JournalKind.EVENT
    assert (entry.event_id, entry.delivery_id) == (recorded.event_id, recorded.delivery_id)


def test_a_product_that_is_not_there_records_nothing_at_all(bench: Bench) -> None:
    product, missing = bench.product(), "f" * 24
    with pytest.raises(NotFound, match=missing):
        bench.record(new_event(product), new_event(missing))
    assert [bench.rows(table) for table in TABLES] == [0, 0, 0]


def test_nothing_to_record_locks_nothing(bench: Bench) -> None:
    with statements_of(bench.database) as statements:
        assert bench.record() == []
    assert statements == []


def test_sequence_and_time_increase_while_the_clock_stands_still(bench: Bench) -> None:
    product = bench.product()
    recorded = bench.record(*[new_event(product, n=n) for n in range(3)])
    assert [each.sequence for each in recorded] == [1, 2, 3]
    times = [bench.event(each.event_id).triggered_at for each in recorded]
    assert times == [bench.now, bench.now + 1, bench.now + 2]
    assert times_of(bench, product) == [bench.now + 3]


def test_time_increases_when_the_clock_jumps_back(bench: Bench) -> None:
    product = bench.product()
    (before,) = times_of(bench, product)
    bench.clock.set(START_AT - timedelta(hours=1))
    assert times_of(bench, product, 2) == [before + 1, before + 2]


def test_an_event_is_later_than_its_document(bench: Bench) -> None:
    product = bench.product()
    ahead = bench.now + 5_000
    assert times_of(bench, product, document_updated_at=ahead) == [ahead + 1]
    assert times_of(bench, product) == [ahead + 2]


def test_time_follows_the_clock_where_it_can(bench: Bench) -> None:
    product = bench.product()
    times_of(bench, product)
    bench.clock.advance(seconds=5)
    assert times_of(bench, product) == [bench.now]


def test_products_count_for_themselves(bench: Bench) -> None:
    one, other = bench.product("One"), bench.product("Other")
    recorded = bench.record(new_event(one), new_event(other), new_event(one))
    assert [(each.product_id, each.sequence) for each in recorded] == [
        (one, 1),
        (other, 1),
        (one, 2),
    ]
    assert times_of(bench, other) == [bench.now + 1]


def test_a_burst_is_due_now_although_its_times_run_ahead(bench: Bench) -> None:
    deliveries = bench.enqueue(bench.product(), 50)
    assert {bench.delivery(each).due_at for each in deliveries} == {bench.now}


def test_without_a_url_an_event_gets_no_delivery(bench: Bench) -> None:
    product = bench.product(url=None)
    (recorded,) = bench.record(new_event(product))
    (entry,) = bench.journal()
    assert recorded.delivery_id is None
    assert entry.delivery_id is None
    assert bench.event(recorded.event_id).sequence == 1
    assert bench.rows("deliveries") == 0


def test_a_url_that_is_set_later_gets_no_past_events(bench: Bench) -> None:
    product = bench.product(url=None)
    bench.record(new_event(product))
    bench.set_url(product, URL)
    assert bench.rows("deliveries") == 0
    assert bench.enqueue(product) != []


@pytest.mark.parametrize(
    ("events", "has_delivery"), [("*", True), ("idea.*", True), ("customer.*,okr.created", False)]
)
def test_only_events_that_a_product_wants_get_a_delivery(
    bench: Bench, events: str, *, has_delivery: bool
) -> None:
    (recorded,) = bench.record(new_event(bench.product(events=events), name="idea.created"))
    assert (recorded.delivery_id is not None) is has_delivery
    assert bench.rows("events") == 1


def test_by_default_every_event_gets_a_delivery(bench: Bench) -> None:
    (recorded,) = bench.record(new_event(bench.product(), name="okr.deleted"))
    assert recorded.delivery_id is not None


def test_the_body_is_what_seal_gives_and_is_stored_once(bench: Bench) -> None:
    product = bench.product(headers={"X-Team": "blue"})
    new = new_event(product)
    (recorded,) = bench.record(new)
    row = bench.event(recorded.event_id)
    sealed = seal(
        new.payload_text,
        event=new.name,
        triggered_at=from_milliseconds(row.triggered_at),
        secret=SECRET,
    )
    assert row.body == sealed.body
    assert [tuple(each) for each in row.headers] == [*sealed.headers, ("X-Team", "blue")]
    assert (row.method, row.deviations, row.overrides) == ("POST", {}, {})
    assert verify(row.body.encode(), SECRET).payload == {"_id": "0", "title": "Été ☀"}


def test_an_assumption_of_a_request_holds_for_it_only(bench: Bench) -> None:
    product = bench.product(pretty_body="true")
    changed, own = bench.record(
        new_event(product, assumptions={"method": "PUT", "pretty_body": "false"}),
        new_event(product),
    )
    row, other = bench.event(changed.event_id), bench.event(own.event_id)
    assert (row.method, other.method) == ("PUT", "POST")
    assert ("\n" in row.body, "\n" in other.body) == (False, True)
    assert row.deviations == {"method": "PUT"}
    assert row.overrides == {"method": "PUT", "pretty_body": "false"}
    assert (other.deviations, other.overrides) == ({"pretty_body": "true"}, {})


@pytest.mark.parametrize("location", ["header", "both"])
def test_a_signature_in_a_header_is_settled_with_the_event(bench: Bench, location: str) -> None:
    product = bench.product(signature_location=location)
    (recorded,) = bench.record(new_event(product))
    row = bench.event(recorded.event_id)
    signature = dict(row.headers)["X-Leanbe-Signature"]
    assert (signature in row.body) is (location == "both")


def test_a_lease_makes_the_first_attempt_the_callers(bench: Bench) -> None:
    lease = Lease(token="a" * 24, until=bench.now + 1)
    (delivery,) = bench.enqueue(bench.product(), lease=lease)
    row = bench.delivery(delivery)
    assert (row.state, row.attempts_started) == (DeliveryState.IN_FLIGHT, 1)
    assert (row.lease_token, row.lease_until) == (lease.token, lease.until)
    assert claim(bench.queue()) == []


def test_a_redelivery_owes_the_same_event_again(bench: Bench) -> None:
    product = bench.product()
    (recorded,) = bench.record(new_event(product))
    bench.clock.advance(hours=1)
    with bench.database.transaction() as session:
        again = redeliver(
            session, bench.event(recorded.event_id), now=bench.clock.now(), ids=bench.ids
        )
    row = bench.delivery(again)
    assert again != recorded.delivery_id
    assert (row.event_id, row.sequence, row.state) == (recorded.event_id, 1, DeliveryState.NEW)
    assert row.due_at == bench.now
    assert bench.rows("events") == 1


def test_a_hundred_events_cost_the_statements_of_one(bench: Bench) -> None:
    one, other = bench.product("One"), bench.product("Other")
    with statements_of(bench.database) as for_one:
        bench.record(new_event(one))
    with statements_of(bench.database) as for_many:
        bench.record(*[new_event(each, n=n) for n in range(50) for each in (one, other)])
    assert len(for_one) == len(for_many) == {"sqlite": 5, "postgresql": 3}[bench.database.dialect]
    assert bench.rows("events") == 101


def test_products_are_locked_in_the_order_of_their_ids(bench: Bench) -> None:
    one, other = bench.product("One"), bench.product("Other")
    with statements_of(bench.database) as statements:
        bench.record(new_event(other), new_event(one))
    assert "ORDER BY products.id" in statements[0]


def test_two_who_record_for_the_same_products_do_not_wait_for_each_other(bench: Bench) -> None:
    """Locked in the order that they were named in, these two would often deadlock."""
    one, other = bench.product("One"), bench.product("Other")
    start = threading.Barrier(2)

    def act(first: str, second: str, seed: int) -> None:
        ids = Ids(random.Random(seed))
        for n in range(25):
            start.wait(PATIENCE_SECONDS)
            with bench.database.transaction() as session:
                events = [new_event(first, n=n), new_event(second, n=n)]
                record(session, events, now=START_AT, ids=ids)

    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(act, one, other, 1), threads.submit(act, other, one, 2)]
        for each in both:
            each.result(60)
    assert bench.rows("events") == 100


def test_an_action_that_waited_for_a_webhook_change_records_by_it(bench: Bench) -> None:
    product = bench.product(url=None)
    with ThreadPoolExecutor(1) as thread:
        with bench.database.transaction() as session:
            row = session.get_one(ProductRow, product)
            webhooks.set_url(bench.action(session), row, URL, secret="whsec_new")
            waiting = thread.submit(bench.record, new_event(product))
            if bench.database.dialect == "postgresql":
                wait_until(
                    lambda: _is_waiting(bench.database), "somebody waits for the product's row"
                )
        (recorded,) = waiting.result(PATIENCE_SECONDS)
    assert recorded.delivery_id is not None
    assert verify(bench.event(recorded.event_id).body.encode(), "whsec_new").event == "idea.created"


def _is_waiting(database: Database) -> bool:
    statement = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with database.reading() as session:
        return bool(session.execute(statement).scalar_one())


def test_the_instant_of_the_envelope_is_the_events(bench: Bench) -> None:
    product = bench.product()
    ahead = to_milliseconds(START_AT) + 1
    (recorded,) = bench.record(new_event(product, document_updated_at=ahead))
    assert '"triggeredAt":"2026-11-24T08:00:00.002Z"' in bench.event(recorded.event_id).body


def test_no_assumption_is_the_article(bench: Bench) -> None:
    (recorded,) = bench.record(new_event(bench.product()))
    assert parse_assumptions(bench.event(recorded.event_id).deviations) == parse_assumptions({})


def test_a_locked_products_secret_is_in_no_repr(bench: Bench) -> None:
    product = bench.product()
    with bench.database.transaction() as session:
        locked = emission.lock(session.connection(), [product], second=0)
    assert locked.senders[0].secret == SECRET
    assert SECRET not in repr(locked)
