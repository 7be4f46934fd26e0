"""Statements that were put together once: an ORM's takes longer to put together than to run.

They run past the session; what it holds back is written first. On SQLite the driver takes them, and
their rows come past SQLAlchemy: a small statement costs a fifth so.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Dialect, Executable, Select, Table, insert
from sqlalchemy.orm import Session, class_mapper, make_transient_to_detached
from sqlalchemy.orm.util import identity_key

from leanbe_emitter.storage.engine.sqlite_driver import execute
from leanbe_emitter.storage.schema.tables import Base

NewRow = TypeVar("NewRow", bound=Base)

#: How many statements are kept as the driver takes them: one for each number of values in a list.
_KEPT = 1024

#: How long a list may be for that: of a page's any length, SQLAlchemy keeps one statement for all.
_LONGEST = 32

Entity = TypeVar("Entity")


def found(session: Session, statement: Executable, **values: Any) -> Sequence[Any]:
    """Return what a statement finds that has these values for its parameters.

    Args:
        session: an open transaction.
        statement: lives as long as the program, as it is kept.
        values: a list is given to a parameter that expands.

    Returns:
        Tuples, whose values also have the names of their columns.
    """
    session.flush()
    connection = session.connection()
    given = tuple(
        (name, len(each) if isinstance(each, list) else None) for name, each in values.items()
    )
    is_long = any(length is not None and length > _LONGEST for _, length in given)
    if is_long or connection.dialect.name != "sqlite":
        return connection.execute(statement, values).all()
    return _query(statement, connection.dialect, given).run(connection, values)


def loaded(session: Session, statement: Select[Entity], **values: Any) -> Sequence[Entity]:
    """Return the objects that a statement finds which selects all of one table.

    They are the session's. As ever, what it has read before stays as it was.
    """
    if session.connection().dialect.name != "sqlite":
        return session.scalars(statement, values).all()
    entity = _entity_of(statement)
    return [_kept(session, entity, row) for row in found(session, statement, **values)]


def new_row(kind: type[NewRow], **columns: Any) -> NewRow:
    """Return a row that is to be written by ``write_new``.

    An ORM's constructor notes each value as a change, which takes ten times as long; nobody asks a
    new row for its changes.

    Raises:
        TypeError: there is no column of that name.
    """
    manager = _mapper(kind).class_manager
    if not columns.keys() <= manager.keys():
        raise TypeError(f"{kind.__name__} has no column {(columns.keys() - manager.keys()).pop()}.")
    row: NewRow = manager.new_instance()
    vars(row).update(columns)
    return row


def write_new(session: Session, row: Any) -> None:
    """Insert a row by one plain statement; from then on it is one of the session's.

    What was not set is nothing: columns have no defaults here.
    """
    session.flush()
    connection = session.connection()
    insertion = _insertion(row.__table__, connection.dialect)
    values = {name: row.__dict__.setdefault(name, None) for name in insertion.columns}
    insertion.run(connection, values)
    make_transient_to_detached(row)
    session.add(row)


def _kept(session: Session, entity: Any, values: Any) -> Any:
    """Return a session's object of a row; a new one, unless it has it."""
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
    """What stands for one ``?``: a parameter's value, one of its list, or what never changes."""

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
    """A statement as the driver of SQLite takes it.

    Args:
        statement: which.
        dialect: the engine's.
        given: the names of its parameters, each with the length of a list, or without.
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
        """Run it with these values."""
        rows = execute(connection, self._text, [each.value(values) for each in self._places])
        if self._read:
            return [self._made(self._as_read(row)) for row in rows]
        return [self._made(row) for row in rows]

    def _as_read(self, row: tuple[Any, ...]) -> Sequence[Any]:
        values = list(row)
        for index, read in self._read:
            values[index] = read(values[index])
        return values


def _kind_of_row(columns: Sequence[str]) -> Any:
    return namedtuple("Found", columns, rename=True)  # noqa: PYI024 - of any types


_query = lru_cache(_KEPT)(_Query)


class _Insertion:
    """A statement as the driver takes it.

    Attributes:
        columns: the names of its values, in their order.
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
        """Insert a row of these values."""
        for name, bind in self._bind.items():
            values[name] = bind(values[name])
        if self._is_positional:
            execute(connection, self.text, tuple(values.values()))
        else:
            connection.exec_driver_sql(self.text, values)


_insertion = cache(_Insertion)
# Mappers are put together when one is asked for first.
_mapper = cache(class_mapper)
