"""A PostgreSQL database that tests have one after the other is as new for each."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text

from leanbe_emitter import Leanbe
from tests.support.postgresql import Cluster
from tests.support.reused_databases import Databases
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def own(cluster: Cluster) -> Iterator[Databases]:
    """Databases that no other test has."""
    own = Databases(cluster)
    yield own
    own.drop()


def test_it_is_empty_for_the_next_and_counts_from_one_again(cluster: Cluster) -> None:
    own = Databases(cluster, patience_seconds=PATIENCE_SECONDS)
    first: list[int] = []
    for _ in range(2):
        with own.empty() as url, Leanbe(url) as leanbe:
            leanbe.products.create("Acme", webhook_url="http://127.0.0.1:9/")
            leanbe.trigger("idea.created")
            with leanbe._database.reading() as session:
                first += session.scalars(text("SELECT min(position) FROM journal"))
    assert len(own._free) == 1
    assert first[0] == first[1]
    own.drop()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE products ADD COLUMN colour text",
        "ANALYZE alembic_version",
        *(
            pytest.param(each, marks=pytest.mark.prove)
            for each in (
                "DROP TABLE alembic_version",
                "DROP INDEX ix_deliveries_new",
                "UPDATE alembic_version SET version_num = 'another'",
                "CREATE FUNCTION one() RETURNS int AS 'SELECT 1' LANGUAGE sql",
            )
        ),
    ],
)
def test_one_that_is_made_otherwise_is_not_used_again(own: Databases, statement: str) -> None:
    with own.empty() as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())
    assert not own._free


def test_one_that_somebody_is_still_connected_to_is_not_used_again(own: Databases) -> None:
    with own.empty() as url:
        somebody = psycopg.connect(url)
    assert not own._free
    somebody.close()
