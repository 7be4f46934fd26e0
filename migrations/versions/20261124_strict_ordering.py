"""An index for strict ordering: held deliveries by product, in the order of events."""

import sqlalchemy as sa
from alembic import op

revision = "20261124_strict_ordering"
down_revision = "20261124_redeliver_jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    condition = sa.text("state IN ('waiting', 'in_flight')")
    op.create_index(
        "ix_deliveries_held",
        "deliveries",
        ["product_id", "sequence", "id"],
        postgresql_where=condition,
        sqlite_where=condition,
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_held", "deliveries")
