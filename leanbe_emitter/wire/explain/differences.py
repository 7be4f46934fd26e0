r"""Differences between the right text and a receiver's: in bytes, and in words.

Invariant: a difference is named in words only if the payload has a place where it shows, and that
place is the example: "writes / as \/".
"""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from leanbe_emitter.wire.explain.json_tree import Number, Tree, is_like_a_list, nodes
from leanbe_emitter.wire.explain.serialisers.notation import (
    JAVASCRIPT,
    Notation,
    has_lone_surrogate,
    key,
    string,
    write,
)
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


#: The most examples of characters that are named.
_MOST_EXAMPLES = 2
#: The longest example.
_LONGEST = 40


def differences(tree: Tree, notation: Notation) -> str:
    """Return what the notation does otherwise in this tree, behind "which"; empty if nothing."""
    found = [words for look in _LOOKS for words in look(tree, notation)]
    if len(found) > 1:
        found[-2:] = [f"{found[-2]} and {found[-1]}"]
    return ", ".join(found)


def _characters(tree: Tree, notation: Notation) -> Iterator[str]:
    kinds: dict[str, str] = {}
    for form, text in _strings(tree, notation):
        for character in text:
            written, right = form(character)[1:-1], JAVASCRIPT.strings(character)[1:-1]
            if written != right:
                kinds.setdefault(_kind(character), f"{_shown(right)} as {_shown(written)}")
    if kinds:
        yield f"writes {' and '.join([*kinds.values()][:_MOST_EXAMPLES])}"


def _strings(tree: Tree, notation: Notation) -> Iterator[tuple[Callable[[str], str], str]]:
    for node in nodes(tree):
        if isinstance(node, dict):
            for name in node:
                yield (lambda text: key(text, notation)), name
        is_text = isinstance(node, str) and not isinstance(node, Number)
        if is_text and (notation.replaces is None or notation.replaces(node) is None):
            yield notation.strings, node


def _kind(character: str) -> str:
    if character.isascii():
        return character if character in '/"' else "ascii"
    return "separator" if unicodedata.category(character) in {"Zl", "Zp"} else "letter"


def _shown(text: str) -> str:
    """Return a text for people: a character that cannot be seen by its number."""
    if len(text) == 1 and not text.isprintable():
        return f"U+{ord(text):04X}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _replaced(tree: Tree, notation: Notation) -> Iterator[str]:
    if notation.replaces is None:
        return
    for node in nodes(tree):
        if isinstance(node, str) and not isinstance(node, Number):
            written, right = string(node, notation), JAVASCRIPT.strings(node)
            if notation.replaces(node) is not None and written != right:
                yield f"writes {_shown(right)} as {_shown(written)}"
                return


def _numbers(tree: Tree, notation: Notation) -> Iterator[str]:
    for node in nodes(tree):
        if isinstance(node, Number):
            written, right = notation.numbers(node), JAVASCRIPT.numbers(node)
            if written != right:
                yield f"writes {_shown(right)} as {_shown(written)}"
                return


def _order(tree: Tree, notation: Notation) -> Iterator[str]:
    if notation.order is None:
        return
    for node in nodes(tree):
        if isinstance(node, dict) and [*notation.order(node)] != [*node]:
            yield "sorts the keys"
            return


def _containers(tree: Tree, notation: Notation) -> Iterator[str]:
    objects = [node for node in nodes(tree) if isinstance(node, dict)]
    if notation.has_arrays_only and any(not node for node in objects):
        yield "turns {} into []"
    if notation.has_arrays_only and any(node and is_like_a_list(node) for node in objects):
        yield "turns an object with the keys 0, 1, ... into a list"
    if notation.drops_nulls and any(None in node.values() for node in objects):
        yield "leaves out members that are null"


def _white_space(tree: Tree, notation: Notation) -> Iterator[str]:
    layout = notation.layout
    if write(tree, replace(JAVASCRIPT, layout=layout)) == write(tree, JAVASCRIPT):
        return
    if layout.indent:
        yield "spreads it over several lines"
    else:
        yield "puts spaces behind commas and colons"


def _end(_tree: Tree, notation: Notation) -> Iterator[str]:
    if notation.end:
        yield "ends with a newline"


def _surrogates(tree: Tree, notation: Notation) -> Iterator[str]:
    if notation.surrogate and has_lone_surrogate(tree):
        yield f"writes {notation.surrogate} for half a character"


_LOOKS = (_surrogates, _characters, _replaced, _numbers, _order, _containers, _white_space, _end)
