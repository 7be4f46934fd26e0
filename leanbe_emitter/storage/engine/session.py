"""Sessions, and statements that are compiled once: the ways around the costs of the ORM.

Most transactions only run statements, so a session is only a connection until somebody uses the
ORM's objects.

A statement that runs many times is compiled once: to compile it takes longer than to run it. The
session is flushed first; then the statement runs without it. On SQLite, the driver runs the
statement and SQLAlchemy does not see its rows: a small statement then costs a fifth.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Dialect, Executable, Select, Table, insert
from sqlalchemy.orm import DeclarativeBase, Session, class_mapper, make_transient_to_detached
from sqlalchemy.orm.util import identity_key

from leanbe_emitter.storage.engine.sqlite import execute

#: How many compiled statements are kept: one for each length of a list of values.
_KEPT = 1024

#: The longest list with a compiled statement of its own. SQLAlchemy has one for all longer lists.
_LONGEST = 32
#: How many ids one statement takes: databases limit its parameters to some ten thousand.
IDS_AT_ONCE = 500

Entity = TypeVar("Entity")
NewRow = TypeVar("NewRow", bound=DeclarativeBase)


class LazySession(Session):
    """A session that is only a connection until somebody uses the ORM's objects.

    Most transactions only run statements. To make a session of the ORM, to let it join a
    transaction and to close it takes longer than a statement.

    Args:
        connection: a connection in a transaction. The caller who began the transaction ends it.
    """

    _is_made = False

    def __init__(self, connection: Connection) -> None:
        # __getattr__ calls the constructor of Session as soon as something needs it.
        self._given = connection

    def connection(self, *arguments: Any, **options: Any) -> Connection:
        """Return the connection; in a nested transaction, after its savepoint was set."""
        is_plain = not self._is_made or self._nested_transaction is None
        if is_plain and self._given.in_transaction():
            return self._given
        # Session knows what to do first, or why nothing can be done any more.
        return super().connection(*arguments, **options)

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Write the pending changes. A session that was not used has none."""
        if self._is_made:
            super().flush(objects)

    def close(self) -> None:
        """Release all objects."""
        if self._is_made:
            super().close()

    def __getattr__(self, name: str) -> Any:
        """Construct the session: the caller asked for an attribute that its constructor sets."""
        if self._is_made:
            raise AttributeError(f"{type(self).__name__} has no {name!r}.")
        self._is_made = True
        super().__init__(self._given, expire_on_commit=False)
        # At once, so that a rollback of the session rolls back the transaction.
        super().connection()
        return getattr(self, name)


def fetch(session: Session, statement: Executable, **values: Any) -> Sequence[Any]:
    """Return the rows of a statement with these parameters.

    Args:
        session: a session in a transaction.
        statement: a constant of a module, as its compiled form is kept.
        values: the parameters; a list for a parameter that expands.

    Returns:
        Tuples, whose values also have the names of their columns.
    """
    session.flush()
    connection = session.connection()
    given: list[tuple[str, int | None]] = []
    longest = 0
    for name, value in values.items():
        length = len(value) if isinstance(value, list) else None
        given.append((name, length))
        longest = max(longest, length or 0)
    if longest > _LONGEST or connection.dialect.name != "sqlite":
        return connection.execute(statement, values).all()
    return _query(statement, connection.dialect, tuple(given)).run(connection, values)


def fetch_by_ids(session: Session, statement: Executable, ids: Iterable[str]) -> Iterator[Any]:
    """Yield the rows of a statement about any number of ids, which are its parameter ``ids``."""
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), IDS_AT_ONCE):
        yield from fetch(session, statement, ids=wanted[start : start + IDS_AT_ONCE])


def load(session: Session, statement: Select[Entity], **values: Any) -> Sequence[Entity]:
    """Return the objects of a statement that selects all columns of one table.

    The objects belong to the session. Objects that it has loaded before keep their values.
    """
    if session.connection().dialect.name != "sqlite":
        return session.scalars(statement, values).all()
    entity = _entity_of(statement)
    return [_kept(session, entity, row) for row in fetch(session, statement, **values)]


def new_row(kind: type[NewRow], **columns: Any) -> NewRow:
    """Return a row for ``insert_row``.

    The ORM's constructor notes each value as a change, which takes ten times as long. Nobody asks a
    new row for its changes.

    Raises:
        TypeError: the table has no column of that name.
    """
    manager = _mapper(kind).class_manager
    if not columns.keys() <= manager.keys():
        raise TypeError(f"{kind.__name__} has no column {(columns.keys() - manager.keys()).pop()}.")
    row: NewRow = manager.new_instance()
    vars(row).update(columns)
    return row


def insert_row(session: Session, row: Any) -> None:
    """Insert a row by one plain statement, and make it an object of the session.

    Columns without a value get NULL: this function applies no defaults.
    """
    session.flush()
    connection = session.connection()
    insertion = _insertion(row.__table__, connection.dialect)
    values = {name: row.__dict__.setdefault(name, None) for name in insertion.columns}
    insertion.run(connection, values)
    make_transient_to_detached(row)
    session.add(row)


def _kept(session: Session, entity: Any, values: Any) -> Any:
    """Return the session's object of a row; a new one if the session has none."""
    row = entity(**values._asdict())
    known = session.identity_map.get(identity_key(instance=row))
    if known is not None:
        return known
    make_transient_to_detached(row)
    session.add(row)
    return row


@lru_cache(_KEPT)
def _entity_of(statement: Select[Any]) -> Any:
    return statement.column_descriptions[0]["entity"]


class _Place(NamedTuple):
    """The source of one ``?``: a parameter, an element of a list parameter, or a constant."""

    name: str
    turn: int | None
    constant: Any
    bind: Callable[[Any], Any] | None

    def value(self, values: Mapping[str, Any]) -> Any:
        if self.name not in values:
            return self.constant
        given = values[self.name]
        value = given if self.turn is None else given[self.turn]
        return value if self.bind is None else self.bind(value)


class _Query:
    """A compiled statement for the driver of SQLite.

    Args:
        statement: the statement.
        dialect: the engine's dialect.
        given: the names of the parameters, each with the length of its list, if it is one.
    """

    def __init__(
        self, statement: Any, dialect: Dialect, given: Sequence[tuple[str, int | None]]
    ) -> None:
        compiled = statement.compile(dialect=dialect)
        unset = {name: None if length is None else [None] * length for name, length in given}
        expanded = compiled.construct_expanded_state(unset)
        self._text: str = expanded.statement
        origins = {
            part: (name, turn)
            for name, parts in expanded.parameter_expansion.items()
            for turn, part in enumerate(parts)
        }
        self._places = []
        for part in expanded.positiontup:
            name, turn = origins.get(part, (part, None))
            bind = compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
            constant = expanded.parameters[part]
            if bind is not None and name not in unset:
                constant = bind(constant)
            self._places.append(_Place(name, turn, constant, bind))
        columns = statement.exported_columns
        self._made: Callable[[Sequence[Any]], Any] = _kind_of_row(columns.keys())._make
        kinds = [each.type.dialect_impl(dialect) for each in columns]
        read = [kind.result_processor(dialect, None) for kind in kinds]
        self._read = [(index, each) for index, each in enumerate(read) if each is not None]

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        """Run the statement with these parameters."""
        rows = execute(connection, self._text, [each.value(values) for each in self._places])
        if not self._read:
            return list(map(self._made, rows))
        found = []
        for row in rows:
            columns = list(row)
            for index, read in self._read:
                columns[index] = read(columns[index])
            found.append(self._made(columns))
        return found


def _kind_of_row(columns: Sequence[str]) -> Any:
    return namedtuple("Found", columns, rename=True)  # noqa: PYI024 - of any types


_query = lru_cache(_KEPT)(_Query)


class _Insertion:
    """A compiled INSERT of one row.

    Attributes:
        columns: the names of its values, in order.
    """

    def __init__(self, table: Table, dialect: Dialect) -> None:
        compiled = insert(table).compile(dialect=dialect)
        self.text = str(compiled)
        self.columns: Sequence[str] = table.columns.keys()
        self._is_positional = compiled.positional
        kinds = {each.name: each.type.dialect_impl(dialect) for each in table.columns}
        bound = {name: kind.bind_processor(dialect) for name, kind in kinds.items()}
        self._bind = {name: bind for name, bind in bound.items() if bind is not None}

    def run(self, connection: Connection, values: dict[str, Any]) -> None:
        """Insert a row with these values."""
        for name, bind in self._bind.items():
            values[name] = bind(values[name])
        if self._is_positional:
            execute(connection, self.text, tuple(values.values()))
        else:
            connection.exec_driver_sql(self.text, values)


_insertion = cache(_Insertion)
# SQLAlchemy configures the mappers when somebody asks for one.
_mapper = cache(class_mapper)
