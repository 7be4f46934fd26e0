"""Two transactions that wait for each other: PostgreSQL ends one of them, and its call goes on."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from typing import Any

import psycopg
import pytest

from leanbe_emitter import DatabaseUnavailable, Leanbe, Product
from tests.support.concurrency import until_somebody_waits
from tests.support.waiting import PATIENCE_SECONDS, wait_until

Client = psycopg.Connection[tuple[str]]

_LOCK = b"SELECT id FROM products WHERE id = %s FOR NO KEY UPDATE"


@contextmanager
def in_a_thread(
    call: Callable[[], Any], *, held_up_by: Sequence["Client"]
) -> Iterator[Future[Any]]:
    """Make a call in a thread; at the block's end, nobody holds it up any more."""
    with ThreadPoolExecutor(1) as thread:
        try:
            yield thread.submit(call)
        finally:
            for each in held_up_by:
                each.rollback()


@pytest.fixture
def leanbe(postgresql_ready: str) -> Iterator[Leanbe]:
    with Leanbe(postgresql_ready) as leanbe:
        yield leanbe


@pytest.fixture
def products(leanbe: Leanbe) -> tuple[Product, Product]:
    """Two products, the first with the lower id, and a customer of the second."""
    first, second = sorted((leanbe.products.create(each) for each in "AB"), key=lambda p: p.id)
    second.customers.create(email="ana@example.com")
    return first, second


@pytest.fixture
def stranger(postgresql_ready: str) -> Iterator["Client"]:
    """Another client of the database; it never notices a deadlock itself."""
    with closing(psycopg.connect(postgresql_ready)) as connection:
        connection.execute("SET deadlock_timeout = '60s'")
        connection.commit()
        yield connection


def test_a_call_that_a_deadlock_ended_is_made_again_over_the_same_connections(
    postgresql_ready: str, leanbe: Leanbe, products: tuple[Product, Product], stranger: "Client"
) -> None:
    first, second = products
    stranger.execute(_LOCK, [second.id])
    both = [first.name, second.name]
    call = partial(first.customers.create, email="bo@example.com", products=both, first_name="Bo")
    with in_a_thread(call, held_up_by=[stranger]) as calling:
        until_somebody_waits(postgresql_ready)
        stranger.execute(_LOCK, [first.id])
        assert not calling.done()
        stranger.commit()
        assert calling.result(PATIENCE_SECONDS).first_name == "Bo"
    assert leanbe._database.failures == 0


def test_in_the_callers_own_transaction_a_deadlock_is_the_callers_and_keeps_the_connections(
    postgresql_ready: str, leanbe: Leanbe, products: tuple[Product, Product], stranger: "Client"
) -> None:
    first, second = products

    def act() -> None:
        with leanbe.transaction():
            first.ideas.create(title="Light mode")
            second.ideas.create(title="Dark mode")

    stranger.execute(_LOCK, [second.id])
    with in_a_thread(act, held_up_by=[stranger]) as calling:
        until_somebody_waits(postgresql_ready)
        stranger.execute(_LOCK, [first.id])
        with pytest.raises(DatabaseUnavailable, match="waited for each other") as raised:
            calling.result(PATIENCE_SECONDS)
    assert "nothing was changed" in raised.value.hint
    assert (first.ideas.list(), leanbe._database.failures) == ([], 0)


def test_a_product_that_is_found_under_the_lock_is_not_locked_out_of_order(
    postgresql_ready: str, products: tuple[Product, Product], stranger: "Client"
) -> None:
    """The customer moves to the first product while the call waits for the second one."""
    first, second = products
    (ana,) = second.customers.list()
    with (
        psycopg.connect(postgresql_ready) as mover,
        psycopg.connect(postgresql_ready) as other,
        ExitStack() as stack,
    ):
        mover.execute(_LOCK, [second.id])
        call = partial(second.customers.update, ana, first_name="Ana")
        calling = stack.enter_context(in_a_thread(call, held_up_by=[mover, stranger]))
        until_somebody_waits(postgresql_ready)
        stranger.execute(_LOCK, [first.id])
        mover.execute(
            "INSERT INTO customer_products (customer_id, product_id, position, email_key)"
            " VALUES (%s, %s, 1, 'ana@example.com')",
            [ana.id, first.id],
        )
        mover.commit()
        wait_until(lambda: _waits_for(other, stranger), "the call waits for the first product")
        # The second product is free meanwhile.
        other.execute(_LOCK + b" NOWAIT", [second.id])
        other.commit()
        stranger.commit()
        assert [each.id for each in calling.result(PATIENCE_SECONDS).products] == [
            second.id,
            first.id,
        ]


def _waits_for(asking: "Client", holder: "Client") -> bool:
    """Return whether somebody waits for a lock of a connection."""
    statement = "SELECT 1 FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
    found = asking.execute(statement, [holder.info.backend_pid]).fetchone()
    asking.commit()
    return found is not None
