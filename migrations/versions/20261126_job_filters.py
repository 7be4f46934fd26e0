"""The filters of a redelivering job, so that its name is not used for other filters."""

import sqlalchemy as sa
from alembic import op

revision = "20261126_job_filters"
down_revision = "20261125_stored_seed"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("redeliveries", sa.Column("asked", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("redeliveries", "asked")
