"""The bytes that a receiver hashed, compared with those that it should hash."""

from dataclasses import dataclass

from leanbe_emitter.wire.stringify import JSON

#: How many bytes are shown before and from the first difference.
_BEFORE, _FROM = 12, 20


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The first place at which two texts differ.

    Attributes:
        offset: the number of equal bytes before it.
        expected: the bytes around it that should be hashed, beginning at ``shown_from``.
        found: the bytes around it that the receiver hashed.
        shown_from: the offset of the first byte that is shown.
        expected_length, found_length: the lengths of the whole texts, in bytes.
    """

    offset: int
    shown_from: int
    expected: bytes
    found: bytes
    expected_length: int
    found_length: int

    def document(self) -> dict[str, JSON]:
        """Return it as JSON; bytes that are no UTF-8 are replaced in texts."""
        return {
            "offset": self.offset,
            "shownFrom": self.shown_from,
            "expected": _side(self.expected, self.expected_length),
            "found": _side(self.found, self.found_length),
        }


def _side(shown: bytes, length: int) -> dict[str, JSON]:
    return {"hex": shown.hex(" "), "text": shown.decode(errors="replace"), "length": length}


def first_difference(expected: bytes, found: bytes) -> Difference | None:
    """Return the first difference of what should be hashed and what was; None if there is none."""
    if expected == found:
        return None
    offset = _common_length(expected, found)
    start = max(0, offset - _BEFORE)
    return Difference(
        offset=offset,
        shown_from=start,
        expected=expected[start : offset + _FROM],
        found=found[start : offset + _FROM],
        expected_length=len(expected),
        found_length=len(found),
    )


def _common_length(one: bytes, other: bytes) -> int:
    """Return the length of the common beginning, by halves: Python compares slices quickly."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
