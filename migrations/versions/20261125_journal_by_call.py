"""The journal has a row for each call; claims and settlements write one index less.

The index of the leases finds deliveries in flight by product, so ``ix_deliveries_held`` has only
waiting deliveries. On SQLite, the CHECKs of the two tables that are written most get a form that
costs nothing. On PostgreSQL, both forms cost the same.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "20261125_journal_by_call"
down_revision = "20261124_strict_ordering"
branch_labels = None
depends_on = None

OBJECT_ID = sa.String(24).with_variant(sa.String(24, collation="C"), "postgresql")
POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

CHECKED = (
    (
        "deliveries",
        "state",
        ("new", "ready", "suspect", "waiting", "in_flight", "delivered", "exhausted", "cancelled"),
    ),
    ("attempts", "outcome", ("delivered", "refused", "unreachable", "unknown")),
)

# A row for each entry becomes a row with one entry, and the reverse.
TO_CALLS = {
    "sqlite": """
INSERT INTO journal (position, transaction_id, entries)
SELECT position, transaction_id,
       json_array(json_array(kind, event_id, delivery_id, number, status))
FROM journal_before ORDER BY position
""",
    "postgresql": """
INSERT INTO journal (position, transaction_id, entries)
SELECT position, transaction_id,
       json_build_array(json_build_array(kind, event_id, delivery_id, number, status))::text
FROM journal_before ORDER BY position
""",
}
# An entry had the product of its event: entries of deleted events are dropped.
TO_ENTRIES = {
    "sqlite": """
INSERT INTO journal
    (transaction_id, kind, product_id, event_id, delivery_id, number, status)
SELECT transaction_id, entry.value ->> 0, events.product_id, events.id,
       entry.value ->> 2, entry.value ->> 3, entry.value ->> 4
FROM journal_before JOIN json_each(entries) AS entry JOIN events ON events.id = entry.value ->> 1
ORDER BY position, entry.key
""",
    "postgresql": """
INSERT INTO journal
    (transaction_id, kind, product_id, event_id, delivery_id, number, status)
SELECT transaction_id, entry.value ->> 0, events.product_id, events.id,
       entry.value ->> 2, (entry.value ->> 3)::integer, entry.value ->> 4
FROM journal_before
CROSS JOIN json_array_elements(entries::json) WITH ORDINALITY AS entry (value, key)
JOIN events ON events.id = entry.value ->> 1
ORDER BY position, entry.key
""",
}
# A position is never used twice: a reader with a cursor would miss the second row.
LAST_POSITION = {
    "sqlite": "SELECT max(seq) FROM sqlite_sequence WHERE name = 'journal'",
    "postgresql": "SELECT last_value FROM journal_position_seq",
}
GO_ON_BEHIND = {
    "sqlite": "UPDATE sqlite_sequence SET seq = max(seq, :last) WHERE name = 'journal'",
    "postgresql": "SELECT setval('journal_position_seq', :last)",
}


def upgrade() -> None:
    """Gather the entries into rows; narrow the indexes and the CHECKs."""
    last = set_journal_aside()
    op.create_table(
        "journal",
        sa.Column("position", POSITION, nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_journal")),
        sa.CheckConstraint("entries LIKE '[[%]]'", name=op.f("ck_journal_has_entries")),
        sqlite_autoincrement=True,
    )
    fill_journal(TO_CALLS, go_on_behind=last)
    index_deliveries(held="state = 'waiting'", in_flight=["lease_until", "product_id"])
    if op.get_bind().dialect.name == "sqlite":
        for table, column, values in CHECKED:
            rewrite_check(table, before=among(column, values), after=either(column, values))


def downgrade() -> None:
    """Give each entry a row again."""
    set_journal_aside()
    op.create_table(
        "journal",
        sa.Column("position", POSITION, nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "event",
                "attempt",
                "settled",
                name="journalkind",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("product_id", OBJECT_ID, nullable=False),
        sa.Column("event_id", OBJECT_ID, nullable=False),
        sa.Column("delivery_id", OBJECT_ID, nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_journal")),
        sqlite_autoincrement=True,
    )
    fill_journal(TO_ENTRIES)
    index_deliveries(held="state IN ('waiting', 'in_flight')", in_flight=["lease_until"])
    if op.get_bind().dialect.name == "sqlite":
        for table, column, values in CHECKED:
            rewrite_check(table, before=either(column, values), after=among(column, values))


def set_journal_aside() -> int:
    """Move the journal's rows to ``journal_before``, and return the last used position."""
    connection = op.get_bind()
    last = connection.scalar(sa.text(LAST_POSITION[connection.dialect.name]))
    op.execute("CREATE TABLE journal_before AS SELECT * FROM journal")
    op.drop_table("journal")
    return last or 0


def fill_journal(statements: dict[str, str], *, go_on_behind: int = 0) -> None:
    """Restore the rows that were moved; ``go_on_behind`` is the last used position."""
    connection = op.get_bind()
    connection.execute(sa.text(statements[connection.dialect.name]))
    op.drop_table("journal_before")
    if go_on_behind:
        statement = sa.text(GO_ON_BEHIND[connection.dialect.name])
        connection.execute(statement, {"last": go_on_behind})
    op.create_index("ix_journal_cursor", "journal", ["transaction_id", "position"])


def index_deliveries(*, held: str, in_flight: Sequence[str]) -> None:
    """Recreate the two indexes: of held deliveries, and of deliveries in flight."""
    for name, columns, condition in (
        ("ix_deliveries_held", ["product_id", "sequence", "id"], held),
        ("ix_deliveries_in_flight", list(in_flight), "state = 'in_flight'"),
    ):
        op.drop_index(name, "deliveries")
        where = sa.text(condition)
        op.create_index(name, "deliveries", columns, postgresql_where=where, sqlite_where=where)


def either(column: str, values: Sequence[str]) -> str:
    """Return the condition that SQLite checks without building a table of the values."""
    return " OR ".join(f"{column} = '{value}'" for value in values)


def among(column: str, values: Sequence[str]) -> str:
    """Return the condition in its former form."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def rewrite_check(table: str, *, before: str, after: str) -> None:
    """Rewrite a CHECK of a SQLite table.

    To recreate the table would delete the rows that refer to it. SQLite documents this way for
    changes of CHECKs, on its page on ALTER TABLE: the rows stay as they are.
    """
    connection = op.get_bind()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ?",
        (before, after, table),
    )
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")
