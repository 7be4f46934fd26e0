"""Statements that psycopg is given without SQLAlchemy's."""

from contextlib import nullcontext

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError

from leanbe_emitter.errors import DatabaseUnavailable
from leanbe_emitter.storage.engine.postgresql import execute
from tests.support.engine_setup import Bench
from tests.support.recorded_statements import record_statements

_SECRET = "whsec_nobody_is_to_see"
_PID = "SELECT pg_backend_pid()"


def test_rows_are_plain_tuples(postgresql_bench: Bench) -> None:
    with postgresql_bench.database.transaction() as session:
        found = execute(session, "SELECT %(size)s + 1, 'a'", {"size": 1})
    assert found == [(2, "a")]
    assert type(found[0]) is tuple


def test_a_statement_on_the_driver_is_a_part_of_the_transaction(postgresql_bench: Bench) -> None:
    with postgresql_bench.database.transaction() as session:
        assert execute(session, "CREATE TABLE things (name text)", {}) == []
        session.rollback()
    with postgresql_bench.database.reading() as session:
        assert execute(session, "SELECT to_regclass('things')::text", {}) == [(None,)]


@pytest.mark.parametrize("is_listened_to", [False, True])
def test_an_error_is_the_one_of_sqlalchemy_and_shows_no_value(
    postgresql_bench: Bench, *, is_listened_to: bool
) -> None:
    database = postgresql_bench.database
    with (
        database.transaction() as session,
        record_statements(database) if is_listened_to else nullcontext(),
        pytest.raises(DataError) as raised,
    ):
        execute(session, "SELECT 1 / %(size)s, %(secret)s", {"size": 0, "secret": _SECRET})
    assert "SELECT 1 /" in str(raised.value)
    assert _SECRET not in str(raised.value)
    assert _SECRET not in repr(raised.value)


def test_listeners_are_told_and_get_the_same_rows(postgresql_bench: Bench) -> None:
    database = postgresql_bench.database
    with database.transaction() as session, record_statements(database) as sent:
        assert execute(session, "SELECT %(size)s::int", {"size": 1}) == [(1,)]
    assert sent.sent == ["SELECT %(size)s::int"]


def test_a_connection_that_ends_in_a_transaction_is_ours_to_tell_and_made_anew(
    postgresql_bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    database = postgresql_bench.database
    ended = []

    def run() -> None:
        with database.transaction() as session:
            ((pid,),) = execute(session, _PID, {})
            ended.append(pid)
            _end(postgresql_bench, pid)
            execute(session, _PID, {})

    with pytest.raises(DatabaseUnavailable):
        run()
    with database.transaction() as session:
        assert execute(session, _PID, {}) != [(ended[0],)]
    assert caplog.records == []


def test_a_connection_that_ended_between_transactions_is_made_anew_unseen(
    postgresql_bench: Bench,
) -> None:
    database = postgresql_bench.database
    with database.transaction() as session:
        ((pid,),) = execute(session, _PID, {})
    _end(postgresql_bench, pid)
    with database.transaction() as session:
        assert execute(session, _PID, {}) != [(pid,)]


def _end(bench: Bench, pid: int) -> None:
    """End a connection from another, and wait until it has ended."""
    other = bench.database.new_handle()
    with other.transaction() as session:
        session.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    other.close()
