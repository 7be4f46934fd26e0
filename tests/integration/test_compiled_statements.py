"""Statements that were put together once, on both databases."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import bindparam, select

from leanbe_emitter import Leanbe
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.engine.session import fetch, load
from leanbe_emitter.storage.schema.states import DeliveryState
from leanbe_emitter.storage.schema.tables import DeliveryRow, ProductRow

_NAMED = select(ProductRow).where(ProductRow.name.in_(bindparam("names", expanding=True)))
_COLUMNS = (
    select(ProductRow.name, ProductRow.assumptions)
    .where(ProductRow.name.in_(bindparam("names", expanding=True)))
    .order_by(ProductRow.name)
    .limit(2)
)
_ENDED = select(DeliveryRow.id).where(
    DeliveryRow.state.in_([DeliveryState.DELIVERED, DeliveryState.EXHAUSTED])
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with Leanbe(database_url) as leanbe:
        for name in ("Acme", "Base", "Core"):
            leanbe.products.create(name, assume={"ordering": "strict"})
    with closing(Database(database_url)) as database:
        yield database


@pytest.mark.parametrize("more", [0, 40])
def test_values_of_a_list_are_found_by_their_columns(database: Database, more: int) -> None:
    names = ["Core", "Acme", "Base", *map(str, range(more))]
    with database.reading() as session:
        rows = fetch(session, _COLUMNS, names=names)
    assert [row.name for row in rows] == ["Acme", "Base"]
    assert rows[0].assumptions == {"ordering": "strict"}


def test_an_empty_list_finds_nothing(database: Database) -> None:
    with database.reading() as session:
        assert fetch(session, _COLUMNS, names=[]) == []


def test_a_literal_of_a_statement_is_bound_as_its_column_is(database: Database) -> None:
    with database.reading() as session:
        assert fetch(session, _ENDED) == []


def test_loaded_rows_are_the_sessions_own(database: Database) -> None:
    with database.transaction() as session:
        (row,) = load(session, _NAMED, names=["Acme"])
        row.name = "Acme Ltd."
    with database.reading() as session:
        (row,) = load(session, _NAMED, names=["Acme Ltd."])
        assert row in load(session, _NAMED, names=["Acme Ltd.", "Base"])
        assert session.get(ProductRow, row.id) is row


def test_pending_changes_of_a_session_are_written_first(database: Database) -> None:
    with database.transaction() as session:
        (row,) = load(session, _NAMED, names=["Acme"])
        row.name = "Acme Ltd."
        assert load(session, _NAMED, names=["Acme Ltd."]) == [row]
        session.rollback()
