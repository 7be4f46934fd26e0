"""Rows as the parameters of one statement of PostgreSQL: an array for each of their columns.

In binary: as text, every quote of every body would be written twice and read twice. An array is
packed here, and not by psycopg, which looks for a dumper of each element and takes three times as
long for it.
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
        """Pack values, None among them; those that are alike, as most of a batch are, once."""
        pieces = {each: _NULL if each is None else cls._piece(each) for each in set(values)}
        head = _HEAD.pack(1 if values else 0, None in pieces, cls.element_oid, len(values), 1)
        # Of no values, the head ends before the length of the dimension that it does not have.
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


#: By the names that types have in SQL.
ARRAYS: Mapping[str, type[Array]] = {
    "text": TextArray,
    "bytea": BytesArray,
    "int": IntArray,
    "bigint": BigintArray,
}


def unnest(types: Mapping[str, str], *, prefix: str = "") -> str:
    """Return the SQL of the rows that the parameters of ``arrays`` stand for.

    Args:
        types: the columns, in order, and their types.
        prefix: what the parameters' names begin with.
    """
    return f"unnest({', '.join(f'%({prefix}{name})b::{kind}[]' for name, kind in types.items())})"


def arrays(
    types: Mapping[str, str], rows: Iterable[tuple[Any, ...]], *, prefix: str = ""
) -> dict[str, Array]:
    """Return rows as parameters; there may be none."""
    columns = list(zip(*rows, strict=True)) or [()] * len(types)
    return {
        f"{prefix}{name}": ARRAYS[kind].of(column)
        for (name, kind), column in zip(types.items(), columns, strict=True)
    }
