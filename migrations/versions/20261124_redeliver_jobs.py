"""Redeliveries by jobs: the events that each job has redelivered."""

import sqlalchemy as sa
from alembic import op

revision = "20261124_redeliver_jobs"
down_revision = "20261124_leanbe_documents"
branch_labels = None
depends_on = None

OBJECT_ID = sa.String(24).with_variant(sa.String(24, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "redeliveries",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("event_id", OBJECT_ID, nullable=False),
        sa.Column("delivery_id", OBJECT_ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["events.id"],
            name=op.f("fk_redeliveries_event_id_events"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job", "event_id", name=op.f("pk_redeliveries")),
    )
    op.create_index(op.f("ix_redeliveries_event_id"), "redeliveries", ["event_id"])


def downgrade() -> None:
    op.drop_table("redeliveries")
