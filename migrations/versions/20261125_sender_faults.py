"""Faults: armed faults, and those that deliveries have taken."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_sender_faults"
down_revision = "20261125_journal_by_call"
branch_labels = None
depends_on = None

OBJECT_ID = sa.String(24).with_variant(sa.String(24, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "faults",
        sa.Column("id", OBJECT_ID, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("misbehaviour", sa.Text(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("fired", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), nullable=True),
        sa.Column("product_id", OBJECT_ID, nullable=True),
        sa.Column("must_fire", sa.Boolean(), nullable=False),
        sa.Column("armed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_faults")),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name=op.f("fk_faults_product_id_products"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "fired BETWEEN 0 AND times AND times > 0", name=op.f("ck_faults_fired_within_times")
        ),
    )
    armed = sa.text("fired < times")
    op.create_index(
        "ix_faults_armed", "faults", ["position"], postgresql_where=armed, sqlite_where=armed
    )
    op.create_table(
        "taken_faults",
        sa.Column("delivery_id", OBJECT_ID, nullable=False),
        sa.Column("product_id", OBJECT_ID, nullable=False),
        sa.Column("misbehaviour", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_taken_faults")),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name=op.f("fk_taken_faults_delivery_id_deliveries"),
            ondelete="CASCADE",
        ),
    )
    op.create_index(op.f("ix_taken_faults_product_id"), "taken_faults", ["product_id"])


def downgrade() -> None:
    op.drop_table("taken_faults")
    op.drop_table("faults")
