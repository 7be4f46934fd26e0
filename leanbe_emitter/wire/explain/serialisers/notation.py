"""Notation of a serialiser: its choices in writing JSON; ``write`` makes the text.

The defaults are those of JavaScript's ``JSON.stringify``. So the choices of another serialiser that
differ from them are exactly what it does wrong here.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from leanbe_emitter.wire.explain.json_tree import Number, Tree, is_like_a_list, nodes
from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.serialisers import number_formats, string_formats

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
#: Reorders the keys of an object.
KeyOrder = Callable[[Iterable[str]], Iterable[str]]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Characters between the values.

    Attributes:
        between: stands between two items.
        behind_key: stands between a key and its value.
        indent: one level of indentation; if it is empty, all is on one line.
        opened, closed: the brackets of an object.
        empty_object, empty_list: the texts of empty containers; the last line break is followed
            by the indentation of the line.
        is_list_inline: whether the items of a list stay on one line, in spaces.
    """

    between: str = ","
    behind_key: str = ":"
    indent: str = ""
    opened: str = "{"
    closed: str = "}"
    empty_object: str = ""
    empty_list: str = "[]"
    is_list_inline: bool = False


@dataclass(frozen=True, kw_only=True)
class Notation:
    """The choices of a serialiser.

    Attributes:
        strings: writes a string.
        keys: writes a key, if not like a string.
        numbers: writes a number from its text.
        words: the texts of null, true and false.
        replaces: returns the text that stands for a string of a certain form, or None.
        order: reorders the keys of an object; None keeps their order.
        has_arrays_only: whether an object without keys, or with the keys 0, 1, 2 ..., is a list, as
            in PHP's arrays.
        drops_nulls: whether members that are null are left out.
        layout: what stands between the values.
        end: stands behind the text.
        surrogate: stands for a lone surrogate; an empty text escapes it, and None refuses it.
    """

    strings: string_formats.StringFormat = string_formats.javascript
    keys: string_formats.StringFormat | None = None
    numbers: Callable[[str], str] = number_formats.javascript
    words: tuple[str, str, str] = ("null", "true", "false")
    replaces: Callable[[str], str | None] | None = None
    order: KeyOrder | None = None
    has_arrays_only: bool = False
    drops_nulls: bool = False
    layout: Layout = field(default_factory=Layout)
    end: str = ""
    surrogate: str | None = ""


JAVASCRIPT = Notation()


class RefusedText(ValueError):
    """The serialiser raises an error for this text, so it writes nothing."""


def write(tree: Tree, notation: Notation) -> str:
    """Return the text that a serialiser writes for a tree without lone surrogates."""
    return _value(tree, notation, "\n") + notation.end


def as_parsed(tree: Tree, notation: Notation) -> Tree:
    """Return the tree as the serialiser's language holds it: without lone surrogates, or with them.

    Raises:
        RefusedText: the parser or the serialiser raises an error.
    """
    if notation.surrogate == "" or not has_lone_surrogate(tree):
        return tree
    if notation.surrogate is None:
        raise RefusedText
    return _replaced(tree, notation.surrogate)


def _value(tree: Tree, notation: Notation, line: str) -> str:
    """Write a value; ``line`` is a line break with the indentation of the value's line."""
    if isinstance(tree, Number):
        return notation.numbers(tree)
    if isinstance(tree, str):
        return string(tree, notation)
    if isinstance(tree, dict):
        return _object(tree, notation, line)
    if isinstance(tree, list):
        return _list(tree, notation, line)
    null, true, false = notation.words
    return null if tree is None else (true if tree else false)


def string(text: str, notation: Notation) -> str:
    """Return a string as the serialiser writes it."""
    if notation.replaces is not None and (replaced := notation.replaces(text)) is not None:
        return replaced
    return notation.strings(text)


def key(text: str, notation: Notation) -> str:
    """Return a key as the serialiser writes it."""
    return (notation.keys or notation.strings)(text)


def _object(tree: dict[str, Tree], notation: Notation, line: str) -> str:
    if notation.has_arrays_only and is_like_a_list(tree):
        return _list([*tree.values()], notation, line)
    if notation.drops_nulls:
        tree = {name: value for name, value in tree.items() if value is not None}
    layout = notation.layout
    if not tree:
        empty = layout.empty_object or layout.opened + layout.closed
        return _at(line, empty)
    names = tree if notation.order is None else notation.order(tree)
    inner = line + layout.indent
    members = [
        key(name, notation) + layout.behind_key + _value(tree[name], notation, inner)
        for name in names
    ]
    if not layout.indent:
        return layout.opened + layout.between.join(members) + layout.closed
    return layout.opened + inner + f",{inner}".join(members) + line + layout.closed


def _list(items: list[Tree], notation: Notation, line: str) -> str:
    layout = notation.layout
    if not items:
        return _at(line, layout.empty_list)
    if layout.is_list_inline:
        return "[ " + ", ".join(_value(each, notation, line) for each in items) + " ]"
    inner = line + layout.indent
    written = [_value(each, notation, inner) for each in items]
    if not layout.indent:
        return "[" + layout.between.join(written) + "]"
    return "[" + inner + f",{inner}".join(written) + line + "]"


def _at(line: str, empty: str) -> str:
    """Return an empty container in a line, which begins by a line break and its indentation."""
    return line.join(empty.rsplit("\n", 1))


def has_lone_surrogate(tree: Tree) -> bool:
    """Return whether a string or a key holds half of a surrogate pair."""
    return any(_LONE_SURROGATE.search(text) for node in nodes(tree) for text in _texts(node))


def _texts(node: Tree) -> Iterable[str]:
    if isinstance(node, dict):
        return node
    return [node] if isinstance(node, str) else []


def _replaced(tree: Tree, surrogate: str) -> Tree:
    if isinstance(tree, dict):
        return {
            _replaced(name, surrogate): _replaced(value, surrogate) for name, value in tree.items()
        }
    if isinstance(tree, list):
        return [_replaced(each, surrogate) for each in tree]
    if isinstance(tree, str) and not isinstance(tree, Number):
        return _LONE_SURROGATE.sub(surrogate, tree)
    return tree


def by_code_point(names: Iterable[str]) -> Iterable[str]:
    """Sort keys as Python and Go do."""
    return sorted(names)


def by_utf16(names: Iterable[str]) -> Iterable[str]:
    """Sort keys as Java does."""
    return sorted(names, key=lambda name: name.encode("utf-16-be", "surrogatepass"))


def as_javascript_objects(names: Iterable[str]) -> Iterable[str]:
    """Sort keys as an object of JavaScript holds sorted ones: indexes first, by their numbers."""
    ordered = [*by_utf16(names)]
    indexes = sorted(filter(_is_index, ordered), key=int)
    return [*indexes, *(name for name in ordered if not _is_index(name))]


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and name == str(int(name)) and int(name) < 2**32 - 1


@dataclass(frozen=True, kw_only=True)
class Serialiser:
    """A way to write a parsed payload again.

    Attributes:
        name: a stable word for programs, such as ``php-objects``.
        language: its language.
        call: the code that calls it.
        notation: what it writes.
        makes: writes the tree, if a notation cannot say it.
        says: what it does wrong, behind "which"; if empty, its notation tells it.
    """

    name: str
    language: Language
    call: str
    notation: Notation = JAVASCRIPT
    makes: Callable[[Tree], str] | None = None
    says: str = ""

    def text(self, tree: Tree, *, may_have_surrogates: bool = True) -> str:
        """Return the text that it writes.

        Args:
            tree: the payload.
            may_have_surrogates: whether the tree may hold halves of surrogate pairs.

        Raises:
            RefusedText: it raises an error for this tree.
            ValueError: the tree has an integer that is too long for Python.
        """
        if may_have_surrogates:
            tree = as_parsed(tree, self.notation)
        return write(tree, self.notation) if self.makes is None else self.makes(tree)
