"""The migrations make exactly the tables of the models, on both databases, up and down."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from leanbe_emitter.storage.database import Database
from leanbe_emitter.storage.documents import METADATA
from leanbe_emitter.storage.migrate import downgrade, prepare, revisions, upgrade


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    database = Database(empty_url)
    yield database
    database.close()


def test_models_equal_migrations(empty: Database) -> None:
    upgrade(empty)
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_each_revision_goes_up_down_and_up_again(empty: Database) -> None:
    for revision in revisions():
        upgrade(empty, revision)
        downgrade(empty, "-1")
        upgrade(empty, revision)
    downgrade(empty, "base")
    tables = set(inspect(empty.engine).get_table_names())
    assert tables <= {"alembic_version"}


def test_an_upgrade_keeps_what_is_there_and_may_be_repeated(database: Database) -> None:
    with database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO products "
                "(id, name, assumptions, sequence, last_triggered_at, created_at, updated_at) "
                "VALUES ('649bf71bbeac6ade0bed7245', 'Acme', '{}', 0, 0, 0, 0)"
            )
        )
    upgrade(database)
    with database.reading() as session:
        assert session.execute(text("SELECT name FROM products")).scalars().all() == ["Acme"]


def test_tables_made_at_once_equal_those_of_the_migrations(tmp_path: Path) -> None:
    at_once = Database(f"sqlite:///{tmp_path / 'at-once.db'}")
    by_steps = Database(f"sqlite:///{tmp_path / 'by-steps.db'}")
    prepare(at_once)
    upgrade(by_steps)

    def described(database: Database) -> list[tuple[str, ...]]:
        with database.reading() as session:
            rows = session.execute(
                text("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
            ).all()
        return sorted((row[0], row[1], " ".join(row[2].split())) for row in rows)

    columns = {
        database: {
            table: sorted(column["name"] for column in inspect(database.engine).get_columns(table))
            for table in inspect(database.engine).get_table_names()
        }
        for database in (at_once, by_steps)
    }
    assert columns[at_once] == columns[by_steps]
    names = [[row[:2] for row in described(database)] for database in (at_once, by_steps)]
    assert names[0] == names[1]
    at_once.close()
    by_steps.close()
