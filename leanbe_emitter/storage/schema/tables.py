"""The tables. The database itself refuses illegal rows, on SQLite and on PostgreSQL.

Instants are whole milliseconds since 1970 (``_at``, ``_until``), and ids are ObjectIds. Enums are
stored as their values, and small structures (headers, assumptions) as JSON text.
"""

import json
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from leanbe_emitter.ids import OBJECT_ID_LENGTH
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome
from leanbe_emitter.wire.payloads.declarations import DEFAULT_STATUSES

# One encoder for all: ``json.dumps`` constructs one at each call.
_encode = json.JSONEncoder(ensure_ascii=False).encode


def json_text(value: Any) -> str:
    """Return the text of a small JSON value for a column."""
    return _encode(value)


class JsonText(TypeDecorator[Any]):
    """A small JSON value, stored as text on both databases."""

    impl = Text
    cache_ok = True

    def compare_values(self, x: Any, y: Any) -> bool:
        """Return whether both are the same JSON: true and 1 are equal in Python only."""
        return json.dumps(x) == json.dumps(y)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write the value as JSON."""
        del dialect
        return None if value is None else json_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Read the JSON."""
        del dialect
        return None if value is None else json.loads(value)


def enum_values(kind: type[StrEnum], *, has_check: bool = True) -> Enum:
    """Return a text column type that holds an enum's values, with its CHECK."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=has_check,
        length=16,
        name=kind.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )


def is_one_of(column: str, kind: type[StrEnum]) -> CheckConstraint:
    """Return the CHECK of an enum's values, for tables that are written often.

    For an IN of more than two values, SQLite builds a table for every row, in two microseconds.
    """
    condition = " OR ".join(f"{column} = '{value}'" for value in kind)
    return CheckConstraint(condition, name=kind.__name__.lower())


# On PostgreSQL, compared as bytes whatever the locale: this is the order of creation.
_object_id = String(OBJECT_ID_LENGTH).with_variant(
    String(OBJECT_ID_LENGTH, collation="C"), "postgresql"
)
# SQLite counts its row ids in an INTEGER only.
_position = BigInteger().with_variant(Integer(), "sqlite")

Id = Annotated[str, mapped_column(_object_id, primary_key=True)]
Ref = Annotated[str, mapped_column(_object_id)]
Instant = Annotated[int, mapped_column(BigInteger)]
LongText = Annotated[str, mapped_column(Text)]
Json = Annotated[Any, mapped_column(JsonText)]
ProductRef = Annotated[
    str, mapped_column(_object_id, ForeignKey("products.id", ondelete="CASCADE"))
]


def partial_index(name: str, *columns: str, where: str) -> Index:
    """Return an index of the rows that fulfil ``where``, a condition in SQL.

    The condition is set for one dialect, when the index is created. To set it for both dialects
    would load both, which takes a tenth of the program's start.
    """
    index = Index(name, *columns)

    @event.listens_for(index, "before_create")
    def set_where(_: Index, connection: Connection, **_more: Any) -> None:
        index.dialect_kwargs[f"{connection.dialect.name}_where"] = text(where)

    return index


class Base(DeclarativeBase):
    """The base of all tables, with the names of their constraints."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class ProductRow(Base):
    """A product. A lock on its row puts its events in order (``outbox.record``)."""

    __tablename__ = "products"

    id: Mapped[Id]
    name: Mapped[LongText] = mapped_column(unique=True)
    #: The assumptions that somebody set, with the texts of their values.
    assumptions: Mapped[Json]
    #: The statuses of backlog items, in order. A new item has the first.
    statuses: Mapped[Json] = mapped_column(server_default=json_text(DEFAULT_STATUSES))
    #: The number of the product's last event.
    sequence: Mapped[int] = mapped_column(BigInteger, default=0)
    #: ``triggeredAt`` of the product's last event (contract c.5: strictly increasing).
    last_triggered_at: Mapped[Instant] = mapped_column(default=0)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class WebhookRow(Base):
    """A product's webhook settings (contract c.1). Without a URL, nothing is delivered."""

    __tablename__ = "webhooks"

    product_id: Mapped[ProductRef] = mapped_column(primary_key=True)
    url: Mapped[LongText | None]
    secret: Mapped[LongText | None]
    #: Further headers, as pairs of name and value.
    headers: Mapped[Json]
    ca_file: Mapped[LongText | None]
    insecure: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]

    __table_args__ = (CheckConstraint("url IS NULL OR secret IS NOT NULL", name="url_has_secret"),)


class RetiredSecretRow(Base):
    """A former secret of a product's webhook, which ``explain`` recognises."""

    __tablename__ = "retired_secrets"

    id: Mapped[int] = mapped_column(_position, primary_key=True)
    product_id: Mapped[ProductRef] = mapped_column(index=True)
    secret: Mapped[LongText]
    retired_at: Mapped[Instant]


class UserRow(Base):
    """A user: a team member of products."""

    __tablename__ = "users"

    id: Mapped[Id]
    email: Mapped[LongText]
    first_name: Mapped[LongText]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class MembershipRow(Base):
    """A user's access to a product. E-mails are unique in a product, whatever their case."""

    __tablename__ = "memberships"

    product_id: Mapped[ProductRef] = mapped_column(primary_key=True)
    user_id: Mapped[Ref] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    #: The user's e-mail with its case folded, for comparison.
    email_key: Mapped[LongText]
    granted_at: Mapped[Instant]

    __table_args__ = (UniqueConstraint("product_id", "email_key"),)


class EventRow(Base):
    """An event: immutable, with the finished body that every attempt sends."""

    __tablename__ = "events"

    id: Mapped[Id]
    product_id: Mapped[ProductRef]
    sequence: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[LongText]
    triggered_at: Mapped[Instant]
    recorded_at: Mapped[Instant]
    method: Mapped[LongText]
    #: The headers of the event itself, as pairs. The sender adds Host and others.
    headers: Mapped[Json]
    body: Mapped[LongText]
    #: The assumptions that differed from their defaults when the event was recorded.
    deviations: Mapped[Json]
    #: The assumptions that were given for this event only (``trigger --assume``).
    overrides: Mapped[Json]

    __table_args__ = (UniqueConstraint("product_id", "sequence"),)


class DeliveryRow(Base):
    """One event for one webhook. The row is narrow, as the queue works on it."""

    __tablename__ = "deliveries"

    id: Mapped[Id]
    # Copies of the event's values for the queue's indexes. The event has the foreign key.
    product_id: Mapped[Ref]
    sequence: Mapped[int] = mapped_column(BigInteger)
    event_id: Mapped[Ref] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"))
    state: Mapped[DeliveryState] = mapped_column(enum_values(DeliveryState, has_check=False))
    due_at: Mapped[Instant]
    lease_token: Mapped[Ref | None]
    lease_until: Mapped[Instant | None]
    attempts_started: Mapped[int] = mapped_column(default=0)
    #: Attempts that count for the retry schedule. An attempt with a lost lease does not.
    attempts_counted: Mapped[int] = mapped_column(default=0)
    #: How many leases were lost in a row.
    leases_lost: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Instant]

    __table_args__ = (
        is_one_of("state", DeliveryState),
        CheckConstraint(
            "(state = 'in_flight') = (lease_token IS NOT NULL)", name="in_flight_has_token"
        ),
        CheckConstraint(
            "(lease_token IS NULL) = (lease_until IS NULL)", name="lease_has_token_and_end"
        ),
        Index("ix_deliveries_event_id", "event_id"),
        # For strict ordering: the deliveries that hold back those behind them.
        partial_index(
            "ix_deliveries_held", "product_id", "sequence", "id", where="state = 'waiting'"
        ),
        *(
            partial_index(f"ix_deliveries_{state}", *columns, where=f"state = '{state}'")
            for state, columns in (
                ("new", ("product_id", "sequence", "id")),
                ("ready", ("product_id", "sequence", "id")),
                ("suspect", ("product_id", "sequence", "id")),
                ("waiting", ("due_at",)),
                ("in_flight", ("lease_until", "product_id")),
            )
        ),
    )


class AttemptRow(Base):
    """One HTTP request of a delivery, and its outcome."""

    __tablename__ = "attempts"

    delivery_id: Mapped[Ref] = mapped_column(
        ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    outcome: Mapped[Outcome] = mapped_column(enum_values(Outcome, has_check=False))
    started_at: Mapped[Instant]
    duration_us: Mapped[int] = mapped_column(BigInteger)
    url: Mapped[LongText]
    request_headers: Mapped[Json]
    #: The request's body, if it was not the event's own.
    request_body: Mapped[LongText | None]
    answer_status: Mapped[int | None]
    answer_headers: Mapped[Json | None]
    #: The beginning of the body, up to the limit.
    answer_body: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: How many bytes the receiver sent, stored or not.
    answer_length: Mapped[int] = mapped_column(BigInteger, default=0)
    error: Mapped[LongText | None]
    fault: Mapped[LongText | None]
    #: The assumptions that differed from their defaults at this attempt.
    deviations: Mapped[Json]

    __table_args__ = (is_one_of("outcome", Outcome),)


class FaultRow(Base):
    """An armed fault: a misbehaviour that fires so many times."""

    __tablename__ = "faults"

    id: Mapped[Id]
    #: Faults fire in this order, in which they were armed.
    position: Mapped[int] = mapped_column(BigInteger)
    #: The text of a ``wire.faults.FaultSpec``.
    misbehaviour: Mapped[LongText]
    times: Mapped[int]
    #: How many deliveries have taken the fault.
    fired: Mapped[int] = mapped_column(default=0)
    #: A glob of event names; None: any event.
    event: Mapped[LongText | None]
    product_id: Mapped[ProductRef | None]
    #: Whether the test that armed it fails if it never fires.
    must_fire: Mapped[bool]
    armed_at: Mapped[Instant]

    __table_args__ = (
        CheckConstraint("fired BETWEEN 0 AND times AND times > 0", name="fired_within_times"),
        # Claims look here, and find nothing most of the time.
        partial_index("ix_faults_armed", "position", where="fired < times"),
    )


class TakenFaultRow(Base):
    """A fault that a delivery has taken. Its next attempt is made with the fault."""

    __tablename__ = "taken_faults"

    delivery_id: Mapped[Ref] = mapped_column(
        ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True
    )
    product_id: Mapped[Ref] = mapped_column(index=True)
    misbehaviour: Mapped[LongText]


class ClockRow(Base):
    """The manual clock of this database. Without a row, the database has the system clock."""

    __tablename__ = "manual_clock"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    now_at: Mapped[Instant]
    #: The time that was set last, or at which the clock became manual. A reset goes back to it.
    begun_at: Mapped[Instant]

    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)


class SeedFileRow(Base):
    """The seed file that each reset plants. Without a row, a reset plants nothing."""

    __tablename__ = "seed_file"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[LongText]
    #: The checked content of the file, as JSON.
    content: Mapped[LongText]

    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)


class RedeliveryRow(Base):
    """A redelivery of an event by a job: one, however often the job is started."""

    __tablename__ = "redeliveries"

    job: Mapped[LongText] = mapped_column(primary_key=True)
    event_id: Mapped[Ref] = mapped_column(
        ForeignKey("events.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    #: The new delivery.
    delivery_id: Mapped[Ref]
    created_at: Mapped[Instant]
    #: The job's filters, in words; null where an older version wrote the row.
    asked: Mapped[LongText | None]


class JournalRow(Base):
    """The journal's entries of one call, in commit order, which ``tail`` and ``wait`` read."""

    __tablename__ = "journal"

    position: Mapped[int] = mapped_column(_position, primary_key=True)
    transaction_id: Mapped[int] = mapped_column(BigInteger)
    #: A JSON array of arrays, each a ``storage.queries.journal.Fact``.
    entries: Mapped[LongText]

    __table_args__ = (
        CheckConstraint("entries LIKE '[[%]]'", name="has_entries"),
        Index("ix_journal_cursor", "transaction_id", "position"),
        # A position is never used twice, not even after the last rows were deleted.
        {"sqlite_autoincrement": True},
    )
