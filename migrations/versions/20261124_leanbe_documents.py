"""Leanbe's documents: customers, ideas, votes, requests, backlog items, OKRs, announcements."""

import sqlalchemy as sa
from alembic import op

revision = "20261124_leanbe_documents"
down_revision = "20261124_first_tables"
branch_labels = None
depends_on = None

OBJECT_ID = sa.String(24).with_variant(sa.String(24, collation="C"), "postgresql")
STATUSES = '["To Do", "In Progress", "In Review", "Done"]'


def upgrade() -> None:
    # SQLite adds and drops a column in place. A batch would make the table anew, and dropping the
    # old one would take along all that refers to it.
    op.add_column(
        "products", sa.Column("statuses", sa.Text(), nullable=False, server_default=STATUSES)
    )
    op.create_table(
        "customers",
        sa.Column("id", OBJECT_ID, nullable=False),
        sa.Column("origin_product_id", OBJECT_ID, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("address_line1", sa.Text(), nullable=True),
        sa.Column("address_line2", sa.Text(), nullable=True),
        sa.Column("zipcode", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("company", sa.Text(), nullable=True),
        sa.Column("image", sa.Text(), nullable=False),
        sa.Column("gender", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("bg_color", sa.Text(), nullable=False),
        sa.Column("is_temporary", sa.Boolean(), nullable=False),
        sa.Column("devices", sa.Text(), nullable=False),
        sa.Column("billing_details", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
    )
    op.create_table(
        "announcements",
        sa.Column("id", OBJECT_ID, nullable=False),
        sa.Column("product_id", OBJECT_ID, nullable=False),
        sa.Column("owner_id", OBJECT_ID, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("description_html", sa.Text(), nullable=True),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "published",
                name="announcementstatus",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("published_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(status = 'published') = (published_at IS NOT NULL)",
            name=op.f("ck_announcements_published_has_instant"),
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_announcements_owner_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name=op.f("fk_announcements_product_id_products"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcements")),
    )
    op.create_index(op.f("ix_announcements_product_id"), "announcements", ["product_id"])
    op.create_table(
        "backlog_items",
        sa.Column("id", OBJECT_ID, nullable=False),
        sa.Column("product_id", OBJECT_ID, nullable=False),
        sa.Column("owner_id", OBJECT_ID, nullable=False),
        sa.Column("assigned_id", OBJECT_ID, nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("description_html", sa.Text(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("idea_id", OBJECT_ID, nullable=True),
        sa.Column("idea_title", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assigned_id"], ["users.id"], name=op.f("fk_backlog_items_assigned_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_backlog_items_owner_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name=op.f("fk_backlog_items_product_id_products"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backlog_items")),
    )
    op.create_index(op.f("ix_backlog_items_idea_id"), "backlog_items", ["idea_id"])
    op.create_index(op.f("ix_backlog_items_product_id"), "backlog_items", ["product_id"])
    op.create_table(
        "customer_products",
        sa.Column("product_id", OBJECT_ID, nullable=False),
        sa.Column("customer_id", OBJECT_ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name=op.f("fk_customer_products_customer_id_customers"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name=op.f("fk_customer_products_product_id_products"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("customer_id", "product_id", name=op.f("pk_customer_products")),
        sa.UniqueConstraint(
            "product_id", "email_key", name=op.f("uq_customer_products_product_id_email_key")
        ),
    )
    op.create_index(op.f("ix_customer_products_product_id"), "customer_products", ["product_id"])
    op.create_table(
        "ideas",
        sa.Column("id", OBJECT_ID, nullable=False),
        sa.Column("product_id", OBJECT_ID, nullable=False),
        sa.Column("owner_id", OBJECT_ID, nullable=False),
        sa.Column("assigned_id", OBJECT_ID, nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("description_html", sa.Text(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("promoted", sa.Boolean(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("up_votes", sa.Integer(), nullable=False),
        sa.Column("down_votes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "up_votes >= 0 AND down_votes >= 0", name=op.f("ck_ideas_votes_are_counted")
        ),
        sa.ForeignKeyConstraint(
            ["assigned_id"], ["users.id"], name=op.f("fk_ideas_assigned_id_users")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_ideas_owner_id_users")),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name=op.f("fk_ideas_product_id_products"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ideas")),
    )
    op.create_index(op.f("ix_ideas_product_id"), "ideas", ["product_id"])
    op.create_table(
        "okrs",
        sa.Column("id", OBJECT_ID, nullable=False),
        sa.Column("product_id", OBJECT_ID, nullable=False),
        sa.Column("owner_id", OBJECT_ID, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("start_date", sa.BigInteger(), nullable=True),
        sa.Column("end_date", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_okrs_owner_id_users")),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name=op.f("fk_okrs_product_id_products"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_okrs")),
    )
    op.create_index(op.f("ix_okrs_product_id"), "okrs", ["product_id"])
    op.create_table(
        "idea_requests",
        sa.Column("id", OBJECT_ID, nullable=False),
        sa.Column("product_id", OBJECT_ID, nullable=False),
        sa.Column("customer_id", OBJECT_ID, nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("description_html", sa.Text(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "new",
                "attached",
                "ignored",
                name="requeststatus",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("idea_id", OBJECT_ID, nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(status = 'attached') = (idea_id IS NOT NULL)",
            name=op.f("ck_idea_requests_attached_has_idea"),
        ),
        sa.CheckConstraint(
            "(idea_id IS NULL) = (position IS NULL)",
            name=op.f("ck_idea_requests_idea_has_position"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_idea_requests_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["idea_id"], ["ideas.id"], name=op.f("fk_idea_requests_idea_id_ideas")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"],
            ["products.id"],
            name=op.f("fk_idea_requests_product_id_products"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idea_requests")),
    )
    op.create_index(op.f("ix_idea_requests_customer_id"), "idea_requests", ["customer_id"])
    op.create_index("ix_idea_requests_idea_id", "idea_requests", ["idea_id", "position"])
    op.create_index(op.f("ix_idea_requests_product_id"), "idea_requests", ["product_id"])
    op.create_table(
        "key_results",
        sa.Column("id", OBJECT_ID, nullable=False),
        sa.Column("okr_id", OBJECT_ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("start_value", sa.Double(), nullable=False),
        sa.Column("current_value", sa.Double(), nullable=False),
        sa.Column("target_value", sa.Double(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["okr_id"], ["okrs.id"], name=op.f("fk_key_results_okr_id_okrs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_results")),
    )
    op.create_index(op.f("ix_key_results_okr_id"), "key_results", ["okr_id"])
    op.create_table(
        "votes",
        sa.Column("id", OBJECT_ID, nullable=False),
        sa.Column("idea_id", OBJECT_ID, nullable=False),
        sa.Column("customer_id", OBJECT_ID, nullable=True),
        sa.Column(
            "direction",
            sa.Enum(
                "up",
                "down",
                name="votedirection",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_votes_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["idea_id"], ["ideas.id"], name=op.f("fk_votes_idea_id_ideas"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_votes")),
        sa.UniqueConstraint("idea_id", "customer_id", name=op.f("uq_votes_idea_id_customer_id")),
    )
    op.create_index(op.f("ix_votes_customer_id"), "votes", ["customer_id"])

    # ### end Alembic commands ###


def downgrade() -> None:
    op.drop_table("votes")
    op.drop_table("key_results")
    op.drop_table("idea_requests")
    op.drop_table("okrs")
    op.drop_table("ideas")
    op.drop_table("customer_products")
    op.drop_table("backlog_items")
    op.drop_table("announcements")
    op.drop_table("customers")
    # ### end Alembic commands ###
    op.drop_column("products", "statuses")
