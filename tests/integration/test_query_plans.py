"""With many finished deliveries, no statement of the engine reads all of what grows."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from functools import cache

import pytest
from sqlalchemy import text

from leanbe_emitter import Filter
from leanbe_emitter.ids import Ids
from leanbe_emitter.library.deliveries.delivery_filter import count_deliveries, selected
from leanbe_emitter.library.deliveries.list_rows import read_rows
from leanbe_emitter.library.runtime.paging import newest_ids
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.queries.retention import BATCH, PASSES
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome
from leanbe_emitter.storage.schema.tables import DeliveryRow
from tests.support.engine_setup import Bench, claim, settlement_of
from tests.support.postgresql import Cluster
from tests.support.query_plans import (
    explain_statements,
    full_table_scans,
    insert_finished_deliveries,
)


@pytest.fixture(params=[20_000, pytest.param(100_000, marks=pytest.mark.prove)])
def finished(request: pytest.FixtureRequest) -> int:
    """The number of finished deliveries."""
    return int(request.param)


@pytest.fixture(scope="module")
def templates(cluster: Cluster) -> Iterator[Callable[[int], str]]:
    """The name of a filled database, by its number of finished deliveries: tests copy it."""
    with ExitStack() as kept:

        @cache
        def filled(finished: int) -> str:
            url = kept.enter_context(cluster.migrated_database())
            fill(Bench(database=Database(url)), finished)
            return url.rpartition("/")[2]

        yield filled


def fill(bench: Bench, finished: int) -> None:
    """Insert finished deliveries, and ten products with ten pending ones."""
    insert_finished_deliveries(bench, bench.product("Old"), finished)
    for number in range(10):
        bench.enqueue(bench.product(f"Product {number}"), 10)
    bench.database.close()


@pytest.fixture
def filled_bench(
    templates: Callable[[int], str], cluster: Cluster, finished: int
) -> Iterator[Bench]:
    """The bench with finished deliveries, and ten products with ten pending ones."""
    with cluster.database(template=templates(finished)) as url:
        database = Database(url)
        yield Bench(database=database, ids=Ids(random.Random(6)))
        database.close()


def test_claims_settlements_and_leases_read_pending_rows_only(filled_bench: Bench) -> None:
    queue = filled_bench.queue()
    with explain_statements(filled_bench.database) as plans:
        queue.todo()
        queue.due()
        first, second, third, *rest = claim(queue)
        queue.renew([first, second, third])
        queue.release([first])
        queue.settle([settlement_of(second), settlement_of(third, Outcome.REFUSED)])
        queue.wake()
        filled_bench.clock.advance(seconds=60)
        assert len(queue.reap()) == len(rest)
        claim(queue)
        assert queue.claim_one(third.delivery_id) is not None
    assert len(plans) > 10
    assert full_table_scans(plans) == []


def test_the_question_for_due_work_uses_indexes_where_most_rows_are_due(
    postgresql_bench: Bench,
) -> None:
    product = postgresql_bench.product()
    insert_finished_deliveries(postgresql_bench, product, 1_000)
    with postgresql_bench.database.transaction() as session:
        session.execute(text("UPDATE deliveries SET state = 'new'"))
        session.execute(text("ANALYZE deliveries"))
    with explain_statements(postgresql_bench.database) as plans:
        assert postgresql_bench.queue().todo().due == {DeliveryState.NEW}
    assert full_table_scans(plans) == []


def test_strict_products_and_new_events_are_looked_up_in_indexes(filled_bench: Bench) -> None:
    product = filled_bench.product("Strict", ordering="strict")
    deliveries = filled_bench.enqueue(product, 3)
    queue = filled_bench.queue()
    with explain_statements(filled_bench.database) as plans:
        claimed = claim(queue)
        taken = [each.delivery_id for each in claimed if each.product_id == product]
        assert taken == deliveries[:1]
        assert queue.claim_one(deliveries[1]) is None
    assert any("ix_deliveries_held" in plan for plan in plans.values())
    assert full_table_scans(plans) == []
    product = filled_bench.product("New")
    with explain_statements(filled_bench.database) as plans:
        filled_bench.enqueue(product, 5)
    assert full_table_scans(plans) == []


# Of fewer deliveries, PostgreSQL rightly reads all.
@pytest.mark.parametrize(
    "finished", [pytest.param(100_000, marks=pytest.mark.prove)], indirect=True
)
def test_pruning_reads_one_stretch_after_the_other(filled_bench: Bench, finished: int) -> None:
    before = filled_bench.clock.now() + timedelta(seconds=1)
    with explain_statements(filled_bench.database) as plans:
        for passing in PASSES:
            next(passing(filled_bench.database, before, BATCH))
    assert filled_bench.rows("deliveries") < finished + 100
    assert len(plans) >= 3 + len(PASSES)
    assert full_table_scans(plans) == []


def test_a_live_list_reads_what_it_shows(filled_bench: Bench) -> None:
    with (
        filled_bench.database.reading() as session,
        explain_statements(filled_bench.database) as plans,
    ):
        found = selected(session, Filter(), DeliveryRow.id)
        ids = newest_ids(session, found, DeliveryRow.created_at, limit=50)
        assert len(read_rows(session, ids)) == 50
    assert len(plans) >= 3
    assert full_table_scans(plans) == []


def test_the_few_that_are_pending_are_found_by_their_indexes(filled_bench: Bench) -> None:
    pending = Filter(status="pending")
    with (
        filled_bench.database.reading() as session,
        explain_statements(filled_bench.database) as plans,
    ):
        assert count_deliveries(session, pending).count == 100
        found = selected(session, pending, DeliveryRow.id)
        assert len(newest_ids(session, found, DeliveryRow.created_at, limit=200))
    assert full_table_scans(plans) == []
