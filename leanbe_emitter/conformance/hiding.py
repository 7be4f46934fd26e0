"""Texts that no report shows: the receiver's secret, and the values of a user's headers."""

from collections.abc import Iterable, Sequence

from leanbe_emitter.header_rules import MASK

__all__ = ["MASK", "SHORTEST_SECRET", "hidden_words"]

#: A shorter secret may stand in any answer by chance.
SHORTEST_SECRET = 4
#: The same of a header's value, which is mostly no secret.
_SHORTEST_VALUE = 6


def hidden_words(secret: str, headers: Iterable[tuple[str, str]]) -> Sequence[str]:
    """Return the words to hide, the longest first: a word may be a part of another one."""
    values = {word for _, value in headers for word in (value, *value.split())}
    hidden = {word for word in values if len(word) >= _SHORTEST_VALUE}
    hidden |= {secret} if len(secret) >= SHORTEST_SECRET else set()
    return sorted(hidden, key=len, reverse=True)
