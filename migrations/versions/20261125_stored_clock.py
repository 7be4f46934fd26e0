"""The manual clock of a database: its time, for every process."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_stored_clock"
down_revision = "20261125_sender_faults"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "manual_clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("now_at", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manual_clock")),
        sa.CheckConstraint("id = 1", name=op.f("ck_manual_clock_only_one")),
    )


def downgrade() -> None:
    op.drop_table("manual_clock")
