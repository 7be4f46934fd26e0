"""JavaScript's usual ways around JSON.stringify(payload)."""

from leanbe_emitter.wire.explain.json_tree import Number, Tree
from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.serialisers import string_formats
from leanbe_emitter.wire.explain.serialisers.notation import JAVASCRIPT as NOTATION
from leanbe_emitter.wire.explain.serialisers.notation import (
    Layout,
    Notation,
    Serialiser,
    as_javascript_objects,
    write,
)


def _way(name: str, call: str, notation: Notation) -> Serialiser:
    return Serialiser(name=f"js-{name}", language=Language.JAVASCRIPT, call=call, notation=notation)


def _indented(unit: str) -> Notation:
    return Notation(layout=Layout(indent=unit, behind_key=": "))


def _twice(tree: Tree) -> str:
    return string_formats.javascript(write(tree, NOTATION))


def _as_text(tree: Tree) -> str:
    """Return a value as JavaScript puts it into a text."""
    if isinstance(tree, dict):
        return "[object Object]"
    if isinstance(tree, list):
        return ",".join("" if each is None else _as_text(each) for each in tree)
    if isinstance(tree, str) and not isinstance(tree, Number):
        return tree
    return write(tree, NOTATION)


def _sorted_at_top(tree: Tree) -> str:
    if isinstance(tree, dict):
        tree = {name: tree[name] for name in as_javascript_objects(tree)}
    return write(tree, NOTATION)


JAVASCRIPT = (
    _way("indent-2", "JSON.stringify(payload, null, 2)", _indented("  ")),
    _way("indent-4", "JSON.stringify(payload, null, 4)", _indented("    ")),
    _way("indent-tab", 'JSON.stringify(payload, null, "\\t")', _indented("\t")),
    _way("sorted", "a stable stringify of payload", Notation(order=as_javascript_objects)),
    Serialiser(
        name="js-sorted-top",
        language=Language.JAVASCRIPT,
        call="JSON.stringify(payload, with its keys sorted)",
        makes=_sorted_at_top,
        says="changes the order of the keys",
    ),
    Serialiser(
        name="js-twice",
        language=Language.JAVASCRIPT,
        call="JSON.stringify(JSON.stringify(payload))",
        makes=_twice,
        says="writes the text itself as a string, in quotation marks",
    ),
    Serialiser(
        name="js-string",
        language=Language.JAVASCRIPT,
        call="`${payload}`",
        makes=_as_text,
        says="is [object Object] instead of JSON",
    ),
)
