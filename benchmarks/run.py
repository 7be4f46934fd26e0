"""The setting of every measure: where databases are made, how much to do, how often."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from benchmarks.databases import PostgresqlStore, SqliteStore, Store, stores
from benchmarks.receiver import free_port


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

    @classmethod
    @contextmanager
    def opened(
        cls, *, database: str | None, match: Sequence[str], rounds: int, quick: bool
    ) -> Iterator[Self]:
        """Start what a run needs; nothing is left behind the block.

        Args:
            database: the only one that is asked about; None for both.
            match: the words.
            rounds: how often each measurement is made.
            quick: whether it is only to be seen that everything works.
        """
        with stores() as (sqlite, postgresql):
            by_name: dict[str, Store] = {"sqlite": sqlite, "postgresql": postgresql}
            yield cls(
                stores=[by_name[database]] if database else [sqlite, postgresql],
                sqlite=sqlite,
                postgresql=postgresql,
                rounds=1 if quick else rounds,
                is_quick=quick,
                words=match,
                port=free_port(),
            )

    def size(self, full: int, quick: int) -> int:
        """Return how much to do: all of it, or just enough to see that it works."""
        return quick if self.is_quick else full

    def is_wanted(self, name: str) -> bool:
        """Say whether a row of that name was asked for."""
        return not self.words or any(word in name for word in self.words)
