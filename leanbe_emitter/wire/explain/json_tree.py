"""A JSON text as a tree that keeps what languages treat differently: the spelling of numbers."""

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

#: dict with text keys, list, str, ``Number``, bool or None.
Tree: TypeAlias = Any


class Number(str):
    """A number as the text spells it."""

    __slots__ = ()


_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=Number)


def tree_of(text: str) -> Tree:
    """Return the tree of a JSON text; the last of two equal keys wins."""
    return _DECODER.decode(text)


def nodes(tree: Tree) -> Iterator[Tree]:
    """Yield every value of a tree in the order of the text; keys are no values."""
    yield tree
    if isinstance(tree, dict):
        for value in tree.values():
            yield from nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from nodes(value)


def is_like_a_list(tree: dict[str, Tree]) -> bool:
    """Return whether PHP cannot tell an array with these keys from a list."""
    return all(name == str(at) for at, name in enumerate(tree))
