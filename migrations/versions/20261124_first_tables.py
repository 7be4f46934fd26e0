"""The first tables: products, webhooks, users, events, deliveries, attempts, the journal."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "20261124_first_tables"
down_revision = None
branch_labels = None
depends_on = None

OBJECT_ID = sa.String(24).with_variant(sa.String(24, collation="C"), "postgresql")
POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def where(condition: str) -> dict[str, Any]:
    """Return a partial index's condition for both databases."""
    return {"postgresql_where": sa.text(condition), "sqlite_where": sa.text(condition)}


def upgrade() -> None:
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
    op.create_index("ix_journal_cursor", "journal", ["transaction_id", "position"])
    op.create_table(
        "products",
        sa.Column("id", OBJECT_ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("assumptions", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("last_triggered_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("name", name=op.f("uq_products_name")),
    )
    op.create_table(
        "users",
        sa.Column("id", OBJECT_ID, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_table(
        "events",
        sa.Column("id", OBJECT_ID, nullable=False),
        sa.Column("product_id", OBJECT_ID, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("triggered_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("deviations", sa.Text(), nullable=False),
        sa.Column("overrides", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name=op.f("fk_events_product_id_products"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("product_id", "sequence", name=op.f("uq_events_product_id_sequence")),
    )
    op.create_table(
        "memberships",
        sa.Column("product_id", OBJECT_ID, nullable=False),
        sa.Column("user_id", OBJECT_ID, nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name=op.f("fk_memberships_product_id_products"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_memberships_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("product_id", "user_id", name=op.f("pk_memberships")),
        sa.UniqueConstraint(
            "product_id", "email_key", name=op.f("uq_memberships_product_id_email_key")
        ),
    )
    op.create_index(op.f("ix_memberships_user_id"), "memberships", ["user_id"])
    op.create_table(
        "retired_secrets",
        sa.Column("id", POSITION, nullable=False),
        sa.Column("product_id", OBJECT_ID, nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name=op.f("fk_retired_secrets_product_id_products"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retired_secrets")),
    )
    op.create_index(op.f("ix_retired_secrets_product_id"), "retired_secrets", ["product_id"])
    op.create_table(
        "webhooks",
        sa.Column("product_id", OBJECT_ID, nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("ca_file", sa.Text(), nullable=True),
        sa.Column("insecure", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "url IS NULL OR secret IS NOT NULL", name=op.f("ck_webhooks_url_has_secret")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name=op.f("fk_webhooks_product_id_products"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_webhooks")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", OBJECT_ID, nullable=False),
        sa.Column("product_id", OBJECT_ID, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("event_id", OBJECT_ID, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "new",
                "ready",
                "suspect",
                "waiting",
                "in_flight",
                "delivered",
                "exhausted",
                "cancelled",
                name="deliverystate",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_token", OBJECT_ID, nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("attempts_started", sa.Integer(), nullable=False),
        sa.Column("attempts_counted", sa.Integer(), nullable=False),
        sa.Column("leases_lost", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(state = 'in_flight') = (lease_token IS NOT NULL)",
            name=op.f("ck_deliveries_in_flight_has_token"),
        ),
        sa.CheckConstraint(
            "(lease_token IS NULL) = (lease_until IS NULL)",
            name=op.f("ck_deliveries_lease_has_token_and_end"),
        ),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["events.id"],
            name=op.f("fk_deliveries_event_id_events"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_event_id", "deliveries", ["event_id"])
    op.create_index(
        "ix_deliveries_in_flight", "deliveries", ["lease_until"], **where("state = 'in_flight'")
    )
    op.create_index(
        "ix_deliveries_new",
        "deliveries",
        ["product_id", "sequence", "id"],
        **where("state = 'new'"),
    )
    op.create_index(
        "ix_deliveries_ready",
        "deliveries",
        ["product_id", "sequence", "id"],
        **where("state = 'ready'"),
    )
    op.create_index(
        "ix_deliveries_suspect",
        "deliveries",
        ["product_id", "sequence", "id"],
        **where("state = 'suspect'"),
    )
    op.create_index("ix_deliveries_waiting", "deliveries", ["due_at"], **where("state = 'waiting'"))
    op.create_table(
        "attempts",
        sa.Column("delivery_id", OBJECT_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "delivered",
                "refused",
                "unreachable",
                "unknown",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("duration_us", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("request_headers", sa.Text(), nullable=False),
        sa.Column("request_body", sa.Text(), nullable=True),
        sa.Column("answer_status", sa.Integer(), nullable=True),
        sa.Column("answer_headers", sa.Text(), nullable=True),
        sa.Column("answer_body", sa.LargeBinary(), nullable=True),
        sa.Column("answer_length", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("deviations", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name=op.f("fk_attempts_delivery_id_deliveries"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_attempts")),
    )


def downgrade() -> None:
    op.drop_table("attempts")
    op.drop_table("deliveries")
    op.drop_table("webhooks")
    op.drop_table("retired_secrets")
    op.drop_table("memberships")
    op.drop_table("events")
    op.drop_table("users")
    op.drop_table("products")
    op.drop_table("journal")
