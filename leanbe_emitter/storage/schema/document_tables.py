"""The tables of Leanbe's documents, which actions change and payloads are built from.

Columns have the documents' names in snake_case. Values that are only passed through (an address, a
company, devices) are JSON text. Values that are looked up or counted have columns of their own, and
so have references.
"""

from sqlalchemy import BigInteger, CheckConstraint, Double, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from leanbe_emitter.storage.schema.states import AnnouncementStatus, RequestStatus, VoteDirection
from leanbe_emitter.storage.schema.tables import (
    Base,
    Id,
    Instant,
    Json,
    LongText,
    ProductRef,
    Ref,
    enum_values,
)


class Timed:
    """The instants of a document's creation and of the last change of a stored field."""

    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class OfProduct(Timed):
    """A document of one product."""

    id: Mapped[Id]

    @declared_attr
    def product_id(self) -> Mapped[ProductRef]:
        """Return the column of the product."""
        return mapped_column(index=True)


class Owned(OfProduct):
    """A document of one product that a user owns."""

    @declared_attr
    def owner_id(self) -> Mapped[Ref]:
        """Return the column of the owner."""
        return mapped_column(ForeignKey("users.id"))


class CustomerRow(Timed, Base):
    """A customer, of one product or of several (contract b.2)."""

    __tablename__ = "customers"

    id: Mapped[Id]
    #: The product in which the customer was created (contract d-17). It may be deleted.
    origin_product_id: Mapped[Ref]
    public_id: Mapped[LongText]
    email: Mapped[LongText]
    first_name: Mapped[LongText | None]
    last_name: Mapped[LongText | None]
    phone: Mapped[LongText | None]
    state: Mapped[LongText | None]
    city: Mapped[LongText | None]
    address_line1: Mapped[LongText | None]
    address_line2: Mapped[LongText | None]
    zipcode: Mapped[LongText | None]
    country: Mapped[Json | None]
    company: Mapped[Json | None]
    image: Mapped[Json]
    gender: Mapped[LongText | None]
    source: Mapped[LongText]
    type: Mapped[LongText | None]
    confirmed: Mapped[bool]
    bg_color: Mapped[LongText]
    is_temporary: Mapped[bool]
    devices: Mapped[Json]
    billing_details: Mapped[Json]
    notes: Mapped[Json]


class CustomerProductRow(Base):
    """A customer's membership of a product, in which e-mails are unique whatever their case."""

    __tablename__ = "customer_products"

    customer_id: Mapped[Ref] = mapped_column(
        ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True
    )
    product_id: Mapped[ProductRef] = mapped_column(primary_key=True, index=True)
    #: The place of the product in the customer's list.
    position: Mapped[int]
    #: The customer's e-mail with its case folded, for comparison.
    email_key: Mapped[LongText]

    __table_args__ = (UniqueConstraint("product_id", "email_key"),)


class IdeaRow(Owned, Base):
    """An idea (contract b.1), with counters of its votes, which the product's lock protects."""

    __tablename__ = "ideas"

    assigned_id: Mapped[Ref | None] = mapped_column(ForeignKey("users.id"))
    title: Mapped[LongText]
    description: Mapped[LongText | None]
    description_html: Mapped[LongText | None]
    tags: Mapped[Json]
    visibility: Mapped[LongText]
    promoted: Mapped[bool]
    archived: Mapped[bool]
    up_votes: Mapped[int] = mapped_column(default=0)
    down_votes: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        CheckConstraint("up_votes >= 0 AND down_votes >= 0", name="votes_are_counted"),
    )


class VoteRow(Base):
    """A vote for or against an idea: one for each customer, any number without a customer."""

    __tablename__ = "votes"

    id: Mapped[Id]
    idea_id: Mapped[Ref] = mapped_column(ForeignKey("ideas.id", ondelete="CASCADE"))
    customer_id: Mapped[Ref | None] = mapped_column(ForeignKey("customers.id"), index=True)
    direction: Mapped[VoteDirection] = mapped_column(enum_values(VoteDirection))
    created_at: Mapped[Instant]

    __table_args__ = (UniqueConstraint("idea_id", "customer_id"),)


class IdeaRequestRow(OfProduct, Base):
    """An idea request (contract b.3)."""

    __tablename__ = "idea_requests"

    customer_id: Mapped[Ref | None] = mapped_column(ForeignKey("customers.id"), index=True)
    title: Mapped[LongText]
    description: Mapped[LongText | None]
    description_html: Mapped[LongText | None]
    status: Mapped[RequestStatus] = mapped_column(enum_values(RequestStatus))
    source: Mapped[LongText]
    idea_id: Mapped[Ref | None] = mapped_column(ForeignKey("ideas.id"))
    #: The place among the idea's requests.
    position: Mapped[int | None]

    __table_args__ = (
        CheckConstraint("(status = 'attached') = (idea_id IS NOT NULL)", name="attached_has_idea"),
        CheckConstraint("(idea_id IS NULL) = (position IS NULL)", name="idea_has_position"),
        Index("ix_idea_requests_idea_id", "idea_id", "position"),
    )


class BacklogItemRow(Owned, Base):
    """A backlog item (contract b.4)."""

    __tablename__ = "backlog_items"

    assigned_id: Mapped[Ref | None] = mapped_column(ForeignKey("users.id"))
    title: Mapped[LongText]
    description: Mapped[LongText | None]
    description_html: Mapped[LongText | None]
    tags: Mapped[Json]
    #: One of the product's statuses.
    status: Mapped[LongText]
    #: The idea that was promoted to this item (contract c.3). It may be deleted.
    idea_id: Mapped[Ref | None] = mapped_column(index=True)
    #: The last title of that idea, once the idea is deleted.
    idea_title: Mapped[LongText | None]


class OkrRow(Owned, Base):
    """An objective (contract b.5)."""

    __tablename__ = "okrs"

    title: Mapped[LongText]
    description: Mapped[LongText | None]
    start_date: Mapped[Instant | None]
    end_date: Mapped[Instant | None]


class KeyResultRow(Base):
    """A key result, which measures an objective."""

    __tablename__ = "key_results"

    id: Mapped[Id]
    okr_id: Mapped[Ref] = mapped_column(ForeignKey("okrs.id", ondelete="CASCADE"), index=True)
    #: The place among the objective's key results.
    position: Mapped[int]
    title: Mapped[LongText]
    start_value: Mapped[float] = mapped_column(Double)
    current_value: Mapped[float] = mapped_column(Double)
    target_value: Mapped[float] = mapped_column(Double)
    unit: Mapped[LongText | None]


class AnnouncementRow(Owned, Base):
    """An announcement (contract b.6)."""

    __tablename__ = "announcements"

    title: Mapped[LongText]
    description: Mapped[LongText | None]
    description_html: Mapped[LongText | None]
    categories: Mapped[Json]
    status: Mapped[AnnouncementStatus] = mapped_column(enum_values(AnnouncementStatus))
    published_at: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint(
            "(status = 'published') = (published_at IS NOT NULL)", name="published_has_instant"
        ),
    )


#: All tables: those of this module and those of ``tables``.
METADATA = Base.metadata
