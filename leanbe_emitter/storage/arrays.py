"""Rows as the parameters of one statement of PostgreSQL: an array for each of their columns.

In binary: as text, every quote of every body would be written twice and read twice.
"""

from collections.abc import Iterable, Mapping
from typing import Any


def unnest(types: Mapping[str, str], *, prefix: str = "") -> str:
    """Return the SQL of the rows that the parameters of ``arrays`` stand for.

    Args:
        types: the columns, in order, and their types.
        prefix: what the parameters' names begin with.
    """
    return f"unnest({', '.join(f'%({prefix}{name})b::{kind}[]' for name, kind in types.items())})"


def arrays(
    types: Mapping[str, str], rows: Iterable[tuple[Any, ...]], *, prefix: str = ""
) -> dict[str, list[Any]]:
    """Return rows as parameters; there may be none."""
    columns = list(zip(*rows, strict=True)) or [()] * len(types)
    return {f"{prefix}{name}": list(each) for name, each in zip(types, columns, strict=True)}
