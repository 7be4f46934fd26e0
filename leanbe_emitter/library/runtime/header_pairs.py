"""Headers of requests and answers, as snapshots have them."""

from collections.abc import Iterable

Headers = tuple[tuple[str, str], ...]


def header_pairs(pairs: Iterable[Iterable[str]]) -> Headers:
    """Return stored headers as an immutable sequence of names and values."""
    return tuple((name, value) for name, value in pairs)
