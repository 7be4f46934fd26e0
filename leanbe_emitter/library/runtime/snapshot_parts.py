"""The parts that snapshots share: an id, and headers."""

from collections.abc import Iterable
from dataclasses import dataclass

Headers = tuple[tuple[str, str], ...]


def header_pairs(pairs: Iterable[Iterable[str]]) -> Headers:
    """Return stored headers as an immutable sequence of names and values."""
    return tuple((name, value) for name, value in pairs)


@dataclass(frozen=True, kw_only=True)
class Identified:
    """A snapshot that has an id. Every method that takes the id takes the snapshot, too."""

    id: str
