"""Statements that were put together once: an ORM's takes longer to put together than to run.

They run past the session; what it holds back is written first.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, Executable, Row, Table, insert
from sqlalchemy.orm import Session, class_mapper, make_transient_to_detached

from leanbe_emitter.storage.engine.sqlite_driver import execute
from leanbe_emitter.storage.schema.tables import Base

NewRow = TypeVar("NewRow", bound=Base)


def found(
    session: Session, statement: Executable, **values: Any
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return what a statement finds that has these values for its parameters."""
    session.flush()
    return session.connection().execute(statement, values).all()


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
    row.__dict__.update(columns)
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
