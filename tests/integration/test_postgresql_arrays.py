"""Arrays that are packed for PostgreSQL arrive as they are."""

from typing import Any

import pytest

from leanbe_emitter.storage.engine.postgresql import ARRAYS, TextArray, arrays, execute, unnest
from tests.support.engine_setup import Bench

_VALUES: dict[str, list[Any]] = {
    "text": ["", "a", "ä\u2028'\"{,}\\", None, "a", "NULL"],
    "bytea": [b"", b"\0\xff", None, b"\0\xff"],
    "int": [0, -1, 2**31 - 1, -(2**31), None],
    "bigint": [0, -1, 2**63 - 1, -(2**63), None],
}


@pytest.mark.parametrize("kind", ARRAYS)
@pytest.mark.parametrize("only", [False, True], ids=["many", "none"])
def test_an_array_arrives_as_it_is(postgresql_bench: Bench, kind: str, *, only: bool) -> None:
    values = [] if only else _VALUES[kind]
    statement = f"SELECT %(values)b::{kind}[], pg_typeof(%(values)b)::text"
    with postgresql_bench.database.reading() as session:
        found = execute(session, statement, {"values": ARRAYS[kind].of(values)})
    assert found == [(values, f"{'integer' if kind == 'int' else kind}[]")]


def test_rows_arrive_as_they_are(postgresql_bench: Bench) -> None:
    types = {"name": "text", "size": "int"}
    statement = f"SELECT * FROM {unnest(types)}"  # noqa: S608 - made of names
    for rows in ([], [("a", 1), ("b", None), ("a", 1)]):
        with postgresql_bench.database.reading() as session:
            found = execute(session, statement, arrays(types, rows))
        assert found == rows


def test_an_array_shows_nothing_of_what_is_in_it() -> None:
    assert repr(TextArray.of(["whsec_nobody_is_to_see"])) == "TextArray(46 bytes)"
