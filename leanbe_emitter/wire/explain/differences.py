r"""Differences between a serialiser's text of a payload and JavaScript's, in words.

Invariant: a difference is named only if the payload has a place where it shows, and that place is
the example: "writes / as \/".
"""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace

from leanbe_emitter.wire.explain.json_tree import Number, Tree, is_like_a_list, nodes
from leanbe_emitter.wire.explain.notation import (
    JAVASCRIPT,
    Notation,
    has_lone_surrogate,
    key,
    string,
    write,
)

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
