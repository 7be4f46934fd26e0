"""What somebody may have meant: the known names that are nearest to a word."""

from collections.abc import Iterable

#: Below this likeness a suggestion puzzles more than it helps.
_LIKENESS = 0.6


def nearest(word: str, candidates: Iterable[str], *, limit: int = 3) -> list[str]:
    """Return up to ``limit`` of the candidates that are like the word, likest first.

    Capitals and the separators ``- _ .`` and blank do not count; a candidate that begins or ends
    with the word is like it, however much longer it is.
    """
    from difflib import SequenceMatcher  # noqa: PLC0415 - only a mistake pays for it

    wanted = _plain(word)
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted)
    scored: list[tuple[float, int, str]] = []
    for position, candidate in enumerate(dict.fromkeys(candidates)):
        matcher.set_seq1(_plain(candidate))
        likeness = _touching(wanted, _plain(candidate)) or matcher.ratio()
        if likeness >= _LIKENESS:
            scored.append((-likeness, position, candidate))
    return [candidate for _, _, candidate in sorted(scored)[:limit]]


def did_you_mean(word: str, candidates: Iterable[str], *, limit: int = 3) -> str:
    """Return ``Did you mean a, b or c?``, or nothing where no candidate is like the word."""
    found = nearest(word, candidates, limit=limit)
    return f"Did you mean {any_of(found)}?" if found else ""


def any_of(names: Iterable[str]) -> str:
    """Return the names as words of a sentence: ``a, b or c``."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def there_are(names: Iterable[str]) -> str:
    """Return a sentence with all the names there are."""
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
