"""PostgreSQL's plans for the statements of a block, with the rows that exist at that time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text

from leanbe_emitter.storage.engine.database import Database
from tests.support.engine_setup import Bench

#: Tables that grow with every event; no statement may read one completely.
GROWING = ("events", "deliveries", "attempts", "journal")

_FINISHED = """
INSERT INTO events SELECT
    to_char(n, 'FM000000000000000000000000'), :product, -n, 'idea.created', 0, 0, 'POST', '[]',
    '{}', '{}', '{}'
FROM generate_series(1, :count) AS n;
INSERT INTO deliveries SELECT
    to_char(n, 'FM000000000000000000000000'), :product, -n,
    to_char(n, 'FM000000000000000000000000'), 'delivered', 0, NULL, NULL, 1, 1, 0, 0
FROM generate_series(1, :count) AS n;
INSERT INTO attempts (delivery_id, number, outcome, started_at, duration_us, url,
                      request_headers, answer_length, deviations)
SELECT to_char(n, 'FM000000000000000000000000'), 1, 'delivered', 0, 1, '', '[]', 0, '{}'
FROM generate_series(1, :count) AS n;
INSERT INTO journal (transaction_id, entries)
SELECT 0, json_build_array(json_build_array('event', to_char(n, 'FM000000000000000000000000')))
FROM generate_series(1, :count) AS n
"""


def insert_finished_deliveries(bench: Bench, product: str, count: int) -> None:
    """Insert a number of finished deliveries, and update PostgreSQL's statistics."""
    with bench.database.transaction() as session:
        for statement in _FINISHED.split(";"):
            session.execute(text(statement), {"product": product, "count": count})
        session.execute(text("ANALYZE"))


@contextmanager
def explain_statements(database: Database) -> Iterator[dict[str, str]]:
    """Explain every statement of the block just before it runs; yield the plans by statement."""
    plans: dict[str, str] = {}

    def explain(connection: Any, _: object, statement: str, parameters: Any, *_more: Any) -> None:
        given = parameters[0] if isinstance(parameters, list) else parameters
        cursor = connection.connection.cursor()
        cursor.execute(f"EXPLAIN {statement}", given)
        plans[statement] = "\n".join(row[0] for row in cursor.fetchall())

    event.listen(database.engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(database.engine, "before_cursor_execute", explain)


def full_table_scans(plans: dict[str, str]) -> list[str]:
    """Return the plans that read a whole growing table."""
    return [
        f"{statement}\n{plan}"
        for statement, plan in plans.items()
        if any(f"Seq Scan on {table}" in plan for table in GROWING)
    ]
