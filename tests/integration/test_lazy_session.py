"""A transaction's session, which is made when somebody uses more of it than its connection."""

from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from sqlalchemy import text
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.migrate import prepare
from leanbe_emitter.storage.schema.tables import UserRow


class _Broken(Exception):
    """Ends a block."""


@pytest.fixture
def database(db: str) -> Iterator[Database]:
    with closing(Database(db)) as database:
        prepare(database)
        with database.transaction() as session:
            session.execute(text("CREATE TABLE things (name TEXT)"))
        yield database
        with database.transaction() as session:
            session.execute(text("DROP TABLE things"))


def _put(session: Session, name: str) -> None:
    """Write past the session, as emission and the queue do."""
    session.connection().exec_driver_sql(f"INSERT INTO things VALUES ('{name}')")  # noqa: S608 - a test's own words


def _user(name: str) -> UserRow:
    return UserRow(id=f"{name:0>24}", email=name, first_name=name, created_at=1, updated_at=1)


def _things(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(text("SELECT name FROM things ORDER BY name")))


def test_a_transaction_that_only_ran_statements_commits_and_makes_no_session(
    database: Database,
) -> None:
    with database.transaction() as session:
        _put(session, "a")
        session.flush()
        assert "identity_map" not in vars(session)
    assert _things(database) == ["a"]


def test_an_error_rolls_back_statements_and_objects_alike(database: Database) -> None:
    with suppress(_Broken), database.transaction() as session:
        _put(session, "a")
        session.add(_user("ann"))
        session.flush()
        raise _Broken
    assert _things(database) == []
    with database.reading() as session:
        assert session.get(UserRow, f"{'ann':0>24}") is None


def test_pending_changes_of_a_session_are_written_at_the_end(database: Database) -> None:
    with database.transaction() as session:
        session.add(_user("ann"))
    with database.reading() as session:
        assert session.get_one(UserRow, f"{'ann':0>24}").first_name == "ann"


def test_a_rollback_of_a_session_that_nobody_used_undoes_the_transaction(
    database: Database,
) -> None:
    with database.transaction() as session:
        _put(session, "a")
        session.rollback()
        with pytest.raises(InvalidRequestError, match="closed transaction"):
            _put(session, "b")
    assert _things(database) == []


def test_statements_go_back_to_the_savepoint_with_all_the_rest(database: Database) -> None:
    with database.transaction() as session:
        _put(session, "kept")
        with suppress(_Broken), session.begin_nested():
            _put(session, "undone")
            raise _Broken
        with session.begin_nested():
            _put(session, "kept, too")
    assert _things(database) == ["kept", "kept, too"]


def test_a_transaction_that_reads_leaves_nothing(database: Database) -> None:
    with database.reading() as session:
        _put(session, "a")
    assert _things(database) == []


def test_a_name_that_no_session_has_is_an_attribute_error(database: Database) -> None:
    with database.reading() as session, pytest.raises(AttributeError, match="no 'colour'"):
        getattr(session, "colour")  # noqa: B009 - no type knows it
