"""The tables. Rows that make no sense are refused by the database itself, on SQLite and PostgreSQL.

Instants are whole milliseconds since 1970 (``_at``, ``_until``), ids are ObjectIds, enums stand as
their values, and small structures (headers, assumptions) as JSON text.
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

from leanbe_emitter.storage.schema.states import DeliveryState, Outcome
from leanbe_emitter.wire.payloads.field_rules import DEFAULT_STATUSES

#: How many lower-case hex digits an ObjectId has.
OBJECT_ID_LENGTH = 24


# Of its own: ``json.dumps`` makes one at each call.
_encode = json.JSONEncoder(ensure_ascii=False).encode


def json_text(value: Any) -> str:
    """Return a small JSON value as the text that columns hold."""
    return _encode(value)


class JsonText(TypeDecorator[Any]):
    """A small JSON value, kept as text on both databases."""

    impl = Text
    cache_ok = True

    def compare_values(self, x: Any, y: Any) -> bool:
        """Say whether both are the same JSON: true and 1 are equal to Python alone."""
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
    """Return the CHECK that a column holds an enum's values, for tables that are written much.

    For an IN of more than two values, SQLite builds a table at every row: two microseconds each.
    """
    condition = " OR ".join(f"{column} = '{value}'" for value in kind)
    return CheckConstraint(condition, name=kind.__name__.lower())


# Byte order on PostgreSQL, whatever the database's locale: it is the order of creation.
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
    """Return an index that holds only the rows that are ``where``, which is SQL.

    It is told so in the words of one database, when it is made there: to say it in the words of
    both loads all that SQLAlchemy has for both, a tenth of what it takes to begin.
    """
    index = Index(name, *columns)

    @event.listens_for(index, "before_create")
    def say_where(_: Index, connection: Connection, **_more: Any) -> None:
        index.dialect_kwargs[f"{connection.dialect.name}_where"] = text(where)

    return index


class Base(DeclarativeBase):
    """What all tables share: how their constraints are named."""

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
    """A product. Its row is the lock that puts its events in order (``outbox.record``)."""

    __tablename__ = "products"

    id: Mapped[Id]
    name: Mapped[LongText] = mapped_column(unique=True)
    #: Only the assumptions that somebody set, with the texts of their values.
    assumptions: Mapped[Json]
    #: What a backlog item's status can be, in order; the first is where it begins.
    statuses: Mapped[Json] = mapped_column(server_default=json_text(DEFAULT_STATUSES))
    #: The number of its last event.
    sequence: Mapped[int] = mapped_column(BigInteger, default=0)
    #: ``triggeredAt`` of its last event (contract c.5: strictly increasing).
    last_triggered_at: Mapped[Instant] = mapped_column(default=0)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class WebhookRow(Base):
    """A product's webhook settings; without a URL nothing is delivered (contract c.1)."""

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
    """A secret that a product's webhook no longer uses; ``explain`` recognises it."""

    __tablename__ = "retired_secrets"

    id: Mapped[int] = mapped_column(_position, primary_key=True)
    product_id: Mapped[ProductRef] = mapped_column(index=True)
    secret: Mapped[LongText]
    retired_at: Mapped[Instant]


class UserRow(Base):
    """A team member."""

    __tablename__ = "users"

    id: Mapped[Id]
    email: Mapped[LongText]
    first_name: Mapped[LongText]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class MembershipRow(Base):
    """That a user has access to a product; an e-mail is unique in a product, whatever its case."""

    __tablename__ = "memberships"

    product_id: Mapped[ProductRef] = mapped_column(primary_key=True)
    user_id: Mapped[Ref] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    #: The user's e-mail, folded for comparison.
    email_key: Mapped[LongText]
    granted_at: Mapped[Instant]

    __table_args__ = (UniqueConstraint("product_id", "email_key"),)


class EventRow(Base):
    """Something that happened: immutable, with the finished body that every attempt sends."""

    __tablename__ = "events"

    id: Mapped[Id]
    product_id: Mapped[ProductRef]
    sequence: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[LongText]
    triggered_at: Mapped[Instant]
    recorded_at: Mapped[Instant]
    method: Mapped[LongText]
    #: The headers that shape the request, as pairs; the sender adds Host and its like.
    headers: Mapped[Json]
    body: Mapped[LongText]
    #: The assumptions that differed from the article's when it was recorded.
    deviations: Mapped[Json]
    #: The assumptions that were given for this one event (``trigger --assume``).
    overrides: Mapped[Json]

    __table_args__ = (UniqueConstraint("product_id", "sequence"),)


class DeliveryRow(Base):
    """One event owed to one webhook. Narrow on purpose: the queue lives in these rows."""

    __tablename__ = "deliveries"

    id: Mapped[Id]
    # The event's own, held here for the queue's indexes; the foreign key is the event's.
    product_id: Mapped[Ref]
    sequence: Mapped[int] = mapped_column(BigInteger)
    event_id: Mapped[Ref] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"))
    state: Mapped[DeliveryState] = mapped_column(enum_values(DeliveryState, has_check=False))
    due_at: Mapped[Instant]
    lease_token: Mapped[Ref | None]
    lease_until: Mapped[Instant | None]
    attempts_started: Mapped[int] = mapped_column(default=0)
    #: Attempts that count against the retry schedule; one that vanished does not.
    attempts_counted: Mapped[int] = mapped_column(default=0)
    #: Leases lost in a row.
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
        # For strict ordering: what holds the deliveries behind it, and what is in flight of it.
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
    """One HTTP request of a delivery, and what came of it: the whole evidence."""

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
    #: Only where it was not the event's own body.
    request_body: Mapped[LongText | None]
    answer_status: Mapped[int | None]
    answer_headers: Mapped[Json | None]
    #: Its beginning, up to the cap.
    answer_body: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: How many bytes the receiver sent, kept or not.
    answer_length: Mapped[int] = mapped_column(BigInteger, default=0)
    error: Mapped[LongText | None]
    fault: Mapped[LongText | None]
    #: The assumptions that differed from the article's at this attempt.
    deviations: Mapped[Json]

    __table_args__ = (is_one_of("outcome", Outcome),)


class FaultRow(Base):
    """A misbehaviour that is asked for, so many times; it is armed until it has fired as often."""

    __tablename__ = "faults"

    id: Mapped[Id]
    #: The order in which they were armed, in which they fire.
    position: Mapped[int] = mapped_column(BigInteger)
    #: The text of a ``wire.faults.Misbehaviour``.
    misbehaviour: Mapped[LongText]
    times: Mapped[int]
    #: How many deliveries have taken it.
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
    """That a delivery has taken a fault: its next attempt is made with it."""

    __tablename__ = "taken_faults"

    delivery_id: Mapped[Ref] = mapped_column(
        ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True
    )
    product_id: Mapped[Ref] = mapped_column(index=True)
    misbehaviour: Mapped[LongText]


class ClockRow(Base):
    """That the clock of this database is manual, and where it stands; without one, it is not."""

    __tablename__ = "manual_clock"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    now_at: Mapped[Instant]
    #: Where it was last set, or began to be manual: from there it begins again.
    begun_at: Mapped[Instant]

    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)


class SeedFileRow(Base):
    """What the database is to hold after each reset; without one, nothing."""

    __tablename__ = "seed_file"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[LongText]
    #: What the file says, checked, as JSON.
    content: Mapped[LongText]

    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)


class RedeliveryRow(Base):
    """That a job has owed an event again: once, however often the job is started."""

    __tablename__ = "redeliveries"

    job: Mapped[LongText] = mapped_column(primary_key=True)
    event_id: Mapped[Ref] = mapped_column(
        ForeignKey("events.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    #: The new delivery.
    delivery_id: Mapped[Ref]
    created_at: Mapped[Instant]
    #: Which deliveries the job is asked for, in words; null where an older version wrote the row.
    asked: Mapped[LongText | None]


class JournalRow(Base):
    """What one call told, in commit order: what ``tail`` and ``wait`` read by."""

    __tablename__ = "journal"

    position: Mapped[int] = mapped_column(_position, primary_key=True)
    transaction_id: Mapped[int] = mapped_column(BigInteger)
    #: A JSON array of arrays, each a ``storage.journal.Fact``.
    entries: Mapped[LongText]

    __table_args__ = (
        CheckConstraint("entries LIKE '[[%]]'", name="has_entries"),
        Index("ix_journal_cursor", "transaction_id", "position"),
        # A position is never used twice, not even after the last rows are gone.
        {"sqlite_autoincrement": True},
    )
