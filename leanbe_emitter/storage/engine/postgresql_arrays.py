"""Arrays for PostgreSQL: one statement takes many rows, as one array for each column.

The arrays are binary, because text would escape every quote of every body. This module packs them,
and not psycopg: it looks for a dumper of each element, which takes three times as long.
"""

from collections.abc import Iterable, Mapping, Sequence
from struct import Struct
from typing import Any, ClassVar

_HEAD = Struct(">iiiii")
_LENGTH = Struct(">i")
_NULL = _LENGTH.pack(-1)
_INT = Struct(">ii")
_BIGINT = Struct(">iq")


class Array(bytes):
    """An array of one dimension in PostgreSQL's binary format.

    Attributes:
        oid: the number of its type.
        element_oid: the number of its elements' type.
    """

    oid: ClassVar[int]
    element_oid: ClassVar[int]

    @classmethod
    def of(cls, values: Sequence[Any]) -> "Array":
        """Pack values, which may be None. Equal values are packed once: a batch has many."""
        pieces = {each: _NULL if each is None else cls._piece(each) for each in set(values)}
        head = _HEAD.pack(1 if values else 0, None in pieces, cls.element_oid, len(values), 1)
        # An empty array has no dimension, so its head ends before the dimension's length.
        return cls(head + b"".join([pieces[each] for each in values]) if values else head[:12])

    @staticmethod
    def _piece(value: Any) -> bytes:
        """Pack one value that is not None, with its length before it."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} bytes)"


class BytesArray(Array):
    """A ``bytea[]``."""

    oid, element_oid = 1001, 17

    @staticmethod
    def _piece(value: bytes) -> bytes:
        return _LENGTH.pack(len(value)) + value


class TextArray(Array):
    """A ``text[]``."""

    oid, element_oid = 1009, 25

    @staticmethod
    def _piece(value: str) -> bytes:
        data = value.encode()
        return _LENGTH.pack(len(data)) + data


class IntArray(Array):
    """An ``int[]``."""

    oid, element_oid = 1007, 23

    @staticmethod
    def _piece(value: int) -> bytes:
        return _INT.pack(4, value)


class BigintArray(Array):
    """A ``bigint[]``."""

    oid, element_oid = 1016, 20

    @staticmethod
    def _piece(value: int) -> bytes:
        return _BIGINT.pack(8, value)


#: The classes of arrays, by the SQL names of their elements' types.
ARRAYS: Mapping[str, type[Array]] = {
    "text": TextArray,
    "bytea": BytesArray,
    "int": IntArray,
    "bigint": BigintArray,
}


def unnest(types: Mapping[str, str], *, prefix: str = "") -> str:
    """Return the SQL that turns the parameters of ``arrays`` into rows again.

    Args:
        types: the columns, in order, and their types.
        prefix: the beginning of the parameters' names.
    """
    return f"unnest({', '.join(f'%({prefix}{name})b::{kind}[]' for name, kind in types.items())})"


def arrays(
    types: Mapping[str, str], rows: Iterable[tuple[Any, ...]], *, prefix: str = ""
) -> dict[str, Array]:
    """Return rows as parameters: one array for each column. There may be no rows."""
    columns = list(zip(*rows, strict=True)) or [()] * len(types)
    return {
        f"{prefix}{name}": ARRAYS[kind].of(column)
        for (name, kind), column in zip(types.items(), columns, strict=True)
    }
