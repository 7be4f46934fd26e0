"""The seed file of a database, which each reset plants."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_stored_seed"
down_revision = "20261125_stored_clock"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "seed_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seed_file")),
        sa.CheckConstraint("id = 1", name=op.f("ck_seed_file_only_one")),
    )


def downgrade() -> None:
    op.drop_table("seed_file")
