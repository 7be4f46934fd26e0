"""Statements that the driver of SQLite is given without SQLAlchemy's."""

from collections.abc import Iterator
from contextlib import closing, nullcontext

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from leanbe_emitter.errors import DatabaseUnavailable
from leanbe_emitter.storage.engine import sqlite
from leanbe_emitter.storage.engine.database import Database
from tests.support.recorded_statements import record_statements

_SECRET = "whsec_nobody_is_to_see"


@pytest.fixture
def database() -> Iterator[Database]:
    with closing(Database(":memory:")) as database:
        with database.transaction() as session:
            sqlite.execute(session, "CREATE TABLE things (name TEXT PRIMARY KEY, size INT) STRICT")
        yield database


def test_rows_are_plain_tuples(database: Database) -> None:
    with database.transaction() as session:
        sqlite.execute(session, "INSERT INTO things VALUES (?, ?), (?, ?)", ["a", 1, "b", 2])
        found = sqlite.execute(
            session.connection(), "SELECT * FROM things WHERE size > :least", {"least": 1}
        )
    assert found == [("b", 2)]
    assert type(found[0]) is tuple


def test_a_statement_on_the_driver_is_a_part_of_the_transaction(database: Database) -> None:
    with database.transaction() as session:
        sqlite.execute(session, "INSERT INTO things VALUES ('a', 1)")
        session.rollback()
    with database.reading() as session:
        assert sqlite.execute(session, "SELECT * FROM things") == []


@pytest.mark.parametrize("is_listened_to", [False, True])
def test_an_error_is_the_one_of_sqlalchemy_and_shows_no_value(
    database: Database, *, is_listened_to: bool
) -> None:
    with database.transaction() as session:
        sqlite.execute(session, "INSERT INTO things VALUES (?, 1)", [_SECRET])
    with (
        database.transaction() as session,
        record_statements(database) if is_listened_to else nullcontext(),
        pytest.raises(IntegrityError) as raised,
    ):
        sqlite.execute(session, "INSERT INTO things VALUES (?, 1)", [_SECRET])
    assert "INSERT INTO things" in str(raised.value)
    assert _SECRET not in str(raised.value)
    assert _SECRET not in repr(raised.value)


def test_the_drivers_errors_about_the_database_become_ours(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable) as raised, database.transaction() as session:
        sqlite.execute(session, "SELECT * FROM nowhere")
    assert isinstance(raised.value.__cause__, OperationalError)


def test_listeners_are_told_and_get_the_same_rows(database: Database) -> None:
    with database.transaction() as session, record_statements(database) as sent:
        sqlite.execute(session, "INSERT INTO things VALUES (?, ?)", ["a", 1])
        found = sqlite.execute(session, "SELECT name, size FROM things")
    assert sent.sent == ["INSERT INTO things VALUES (?, ?)", "SELECT name, size FROM things"]
    assert found == [("a", 1)]
    assert type(found[0]) is tuple


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1000, [1000]), (1001, [1000, 1])])
def test_rows_are_cut_to_what_a_statement_takes(count: int, sizes: list[int]) -> None:
    assert [len(each) for each in sqlite.batches(range(count))] == sizes
