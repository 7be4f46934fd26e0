"""What every measure is given: where databases are made, how much to do, how often."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.databases import PostgresqlStore, SqliteStore, Store


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of the benchmarks.

    Attributes:
        stores: the databases that are asked about.
        postgresql: the server, for what is measured on it alone.
        rounds: how often each measurement is made; they are interleaved.
        is_quick: whether it is only to be seen that everything works: its figures mean nothing.
        words: where a measure has many rows, only those whose name holds one of these; all if none.
        port: where a receiver listens, one after the other.
    """

    stores: Sequence[Store]
    sqlite: SqliteStore
    postgresql: PostgresqlStore
    rounds: int
    is_quick: bool
    words: Sequence[str]
    port: int

    def size(self, full: int, quick: int) -> int:
        """Return how much to do: all of it, or just enough to see that it works."""
        return quick if self.is_quick else full

    def is_wanted(self, name: str) -> bool:
        """Say whether a row of that name was asked for."""
        return not self.words or any(word in name for word in self.words)
