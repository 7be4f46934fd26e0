"""The migrations make exactly the tables of the models, on both databases, up and down."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError

from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.queries import journal
from leanbe_emitter.storage.queries.journal import Fact
from leanbe_emitter.storage.schema.document_tables import METADATA
from leanbe_emitter.storage.schema.migrate import downgrade, prepare, revisions, upgrade
from leanbe_emitter.storage.schema.states import DeliveryStatus, JournalKind
from leanbe_emitter.storage.schema.tables import JournalRow


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


def test_create_all_makes_each_index_of_the_rows_that_it_is_of_in_the_migrations(
    empty: Database,
) -> None:
    upgrade(empty)
    of_the_migrations = rows_of_indexes(empty)
    downgrade(empty, "base")
    with empty.transaction() as session:
        METADATA.create_all(session.connection())
    assert rows_of_indexes(empty) == of_the_migrations
    assert sum(rows is not None for rows in of_the_migrations.values()) == 7


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


PRODUCT, EVENT, GONE, DELIVERY = (digit * 24 for digit in "abcd")

_BEFORE = """
INSERT INTO products (id, name, assumptions, sequence, last_triggered_at, created_at, updated_at)
VALUES (:product, 'Acme', '{}', 0, 0, 0, 0);
INSERT INTO events
VALUES (:event, :product, 1, 'n', 0, 0, 'POST', '[]', '{}', '{}', '{}');
INSERT INTO deliveries
VALUES (:delivery, :product, 1, :event, 'new', 0, NULL, NULL, 0, 0, 0, 0);
INSERT INTO attempts (delivery_id, number, outcome, started_at, duration_us, url, request_headers,
                      answer_length, deviations)
VALUES (:delivery, 1, 'refused', 0, 0, '', '[]', 0, '{}');
INSERT INTO journal (transaction_id, kind, product_id, event_id, delivery_id, number, status) VALUES
    (0, 'event', :product, :event, :delivery, NULL, NULL),
    (0, 'event', :product, :gone, NULL, NULL, NULL),
    (0, 'attempt', :product, :event, :delivery, 1, 'exhausted'),
    (0, 'attempt', :product, :event, NULL, NULL, NULL);
DELETE FROM journal WHERE delivery_id IS NULL AND kind = 'attempt'
"""
_IDS = {"product": PRODUCT, "event": EVENT, "gone": GONE, "delivery": DELIVERY}
_TOLD = [
    Fact(JournalKind.EVENT, EVENT, DELIVERY),
    Fact(JournalKind.EVENT, GONE),
    Fact(JournalKind.ATTEMPT, EVENT, DELIVERY, 1, DeliveryStatus.EXHAUSTED),
]


def _with_what_was_told(database: Database) -> None:
    upgrade(database, "20261124_strict_ordering")
    with database.transaction() as session:
        for statement in _BEFORE.split(";"):
            session.execute(text(statement), _IDS)


def test_a_journal_of_entries_becomes_one_of_calls_and_back(empty: Database) -> None:
    _with_what_was_told(empty)
    upgrade(empty, "20261125_journal_by_call")
    with empty.transaction() as session:
        journal.write(session.connection(), _TOLD)
    with empty.reading() as session:
        rows = list(session.scalars(select(JournalRow).order_by(JournalRow.position)))
    assert [Fact(*each) for row in rows for each in json.loads(row.entries)] == _TOLD * 2
    assert [row.position for row in rows] == [1, 2, 3, 5], "4 was used, and is not used again"
    downgrade(empty, "-1")
    with empty.reading() as session:
        entries = session.execute(
            text(
                "SELECT kind, product_id, event_id, delivery_id, number, status "
                "FROM journal ORDER BY position"
            )
        ).all()
    assert entries == [
        (fact.kind, PRODUCT, *fact[1:]) for fact in _TOLD * 2 if fact.event_id != GONE
    ]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE deliveries SET state = 'sleeping'", "UPDATE attempts SET outcome = 'lost'"],
)
def test_illegal_rows_stay_illegal_up_and_down(empty: Database, statement: str) -> None:
    _with_what_was_told(empty)
    upgrade(empty, "20261125_journal_by_call")
    _is_refused(empty, statement)
    downgrade(empty, "-1")
    _is_refused(empty, statement)


def _is_refused(database: Database, statement: str) -> None:
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(text(statement))


def test_tables_made_at_once_equal_those_of_the_migrations(tmp_path: Path) -> None:
    at_once = Database(f"sqlite:///{tmp_path / 'at-once.db'}")
    by_steps = Database(f"sqlite:///{tmp_path / 'by-steps.db'}")
    prepare(at_once)
    upgrade(by_steps)

    columns = {
        database: {
            table: sorted(column["name"] for column in inspect(database.engine).get_columns(table))
            for table in inspect(database.engine).get_table_names()
        }
        for database in (at_once, by_steps)
    }
    assert columns[at_once] == columns[by_steps]
    names = [[row[:2] for row in sqlite_schema(database)] for database in (at_once, by_steps)]
    assert names[0] == names[1]
    at_once.close()
    by_steps.close()


def test_tables_on_sqlite_are_made_without_loading_what_is_for_postgresql() -> None:
    code = (
        "import sys; from leanbe_emitter import Leanbe\n"
        "with Leanbe() as leanbe: leanbe.products.create('Acme')\n"
        "print([name for name in sys.modules if 'sqlalchemy.dialects.postgresql' in name])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_tables_in_memory_equal_those_of_a_file(tmp_path: Path) -> None:
    file = Database(f"sqlite:///{tmp_path / 'test.db'}")
    memory = Database(":memory:")
    for database in (file, memory):
        assert prepare(database) is True
        assert prepare(database) is False
    assert sqlite_schema(file) == sqlite_schema(memory)
    file.close()
    memory.close()


def sqlite_schema(database: Database) -> list[tuple[str, ...]]:
    """Return what SQLite says of each table and index: its type, its name, its statement."""
    with database.reading() as session:
        rows = session.execute(
            text("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        ).all()
    return sorted((row[0], row[1], " ".join(row[2].split())) for row in rows)


def rows_of_indexes(database: Database) -> dict[str | None, str | None]:
    """Return which rows each index holds, as the database says it; None: all."""
    with database.reading() as session:
        inspector = inspect(session.connection())
        return {
            index["name"]: _where(index.get("dialect_options", {}), database.dialect)
            for table in METADATA.tables
            for index in inspector.get_indexes(table)
        }


def _where(options: Mapping[str, Any], dialect: str) -> str | None:
    where = options.get(f"{dialect}_where")
    return None if where is None else str(where)
