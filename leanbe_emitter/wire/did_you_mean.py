"""Suggestions for a misspelt name: the known names that are similar to it."""

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from difflib import SequenceMatcher

#: The least similarity of a helpful suggestion.
_SIMILARITY = 0.6
#: The longest word to which similar ones are searched, in characters.
LONGEST_WORD = 100
#: How many candidates are compared with a word: each takes some 50 microseconds.
_MOST_CANDIDATES = 2000


def nearest(
    word: str, candidates: Iterable[str], *, limit: int = 3, similarity: float = _SIMILARITY
) -> list[str]:
    """Return up to ``limit`` candidates that are similar to the word, the most similar first.

    Upper case and the separators ``- _ .`` and space do not count. A candidate that begins or ends
    with the word is similar, however long it is. Nothing is similar to a word that is longer than
    ``LONGEST_WORD``, and candidates after the first two thousand do not count.

    Args:
        word: a misspelt name.
        candidates: the names that there are.
        limit: how many names to return at most.
        similarity: the least similarity, from 0 to 1.
    """
    if len(word) > LONGEST_WORD:
        return []
    from difflib import SequenceMatcher  # noqa: PLC0415 - only a misspelt name needs it

    wanted = _plain(word)
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted)
    scored: list[tuple[float, int, str]] = []
    for position, candidate in enumerate(islice(dict.fromkeys(candidates), _MOST_CANDIDATES)):
        matcher.set_seq1(_plain(candidate))
        score = _touching(wanted, _plain(candidate)) or _ratio(matcher, least=similarity)
        if score >= similarity:
            scored.append((-score, position, candidate))
    return [candidate for _, _, candidate in sorted(scored)[:limit]]


def _ratio(matcher: "SequenceMatcher[str]", *, least: float) -> float:
    """Return the similarity; 0 if a bound that is quick to compute shows that it is too small."""
    if matcher.real_quick_ratio() < least or matcher.quick_ratio() < least:
        return 0.0
    return matcher.ratio()


def did_you_mean(
    word: str, candidates: Iterable[str], *, limit: int = 3, similarity: float = _SIMILARITY
) -> str:
    """Return ``Did you mean a, b or c?``, or an empty text without a similar candidate."""
    found = nearest(word, candidates, limit=limit, similarity=similarity)
    return f"Did you mean {any_of(found)}?" if found else ""


def any_of(names: Iterable[str]) -> str:
    """Return the names as a list in a sentence: ``a, b or c``."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def there_are(names: Iterable[str]) -> str:
    """Return a sentence that lists all names."""
    match list(names):
        case []:
            return "There is none here."
        case [only]:
            return f"There is only {only}."
        case several:
            return f"There are {any_of(several)}."


def _plain(word: str) -> str:
    return word.lower().translate(_SEPARATORS)


_SEPARATORS = str.maketrans("", "", "-_. ")
_SHORTEST_TOUCH = 3


def _touching(wanted: str, candidate: str) -> float:
    if len(wanted) < _SHORTEST_TOUCH or len(candidate) < _SHORTEST_TOUCH:
        return 0.0
    if candidate == wanted:
        return 1.0
    begins_or_ends = candidate.startswith(wanted) or candidate.endswith(wanted)
    return 0.9 if begins_or_ends else 0.0
