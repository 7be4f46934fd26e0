"""Changes between two observations: each number, and the length of each list, by its path.

A single delivery moves some of them by some amounts. A duplicate that has an effect moves them
again, and so the same movement tells one effect from two.
"""

import json
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from leanbe_emitter.wire.stringify import JSON

#: By how much each number and each list's length moved; those that did not move are left out.
Movement: TypeAlias = Mapping[str, float]


def movement(before: JSON, after: JSON) -> Movement:
    """Return by how much the numbers and lengths moved from one value to another."""
    earlier, later = dict(_measures(before)), dict(_measures(after))
    paths = earlier.keys() | later.keys()
    moved = {path: later.get(path, 0) - earlier.get(path, 0) for path in paths}
    return {path: by for path, by in moved.items() if by}


def times(single: Movement, count: int) -> Movement:
    """Return the movement of so many deliveries that each move by ``single``."""
    return {path: by * count for path, by in single.items()}


def along(moved: Movement, paths: Movement) -> Movement:
    """Return the part of a movement on the paths of another one."""
    return {path: moved[path] for path in paths if path in moved}


def shows(value: JSON, token: str) -> bool:
    """Return whether a token stands anywhere in a value."""
    return token in json.dumps(value, ensure_ascii=False)


def in_words(moved: Movement) -> str:
    """Return a movement for people: ``ideas +1, votes -2``."""
    if not moved:
        return "nothing"
    return ", ".join(f"{path or 'the value'} {by:+g}" for path, by in sorted(moved.items())[:3])


def _measures(value: JSON, path: str = "") -> Iterator[tuple[str, float]]:
    match value:
        case bool():
            return
        case int() | float():
            yield path, value
        case list():
            yield path, len(value)
        case dict():
            for key, member in value.items():
                yield from _measures(member, f"{path}.{key}" if path else key)
