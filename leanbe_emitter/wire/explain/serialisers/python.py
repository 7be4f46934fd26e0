"""Python's serialisers: json.dumps with its options, and str()."""

from collections.abc import Iterator

from leanbe_emitter.wire.explain.json_tree import Number, Tree
from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.serialisers import number_formats, string_formats
from leanbe_emitter.wire.explain.serialisers.notation import (
    Layout,
    Notation,
    Serialiser,
    by_code_point,
    write,
)

_SPACED = Layout(between=", ", behind_key=": ")
_COMPACT = Layout()
_ASCII = string_formats.python_ascii


def _dumps() -> Iterator[Serialiser]:
    spaced, compact = "", 'separators=(",", ":")'
    for name, option, layout, is_sorted in (
        ("", spaced, _SPACED, False),
        ("-compact", compact, _COMPACT, False),
        ("-sorted", spaced, _SPACED, True),
        ("-sorted-compact", compact, _COMPACT, True),
        ("-indent-2", "indent=2", Layout(indent="  ", behind_key=": "), False),
        ("-indent-4", "indent=4", Layout(indent="    ", behind_key=": "), False),
    ):
        for suffix, escapes in (("", True), ("-unicode", False)):
            options = [
                *(["sort_keys=True"] if is_sorted else []),
                *([option] if option else []),
                *([] if escapes else ["ensure_ascii=False"]),
            ]
            yield Serialiser(
                name=f"python-dumps{name}{suffix}",
                language=Language.PYTHON,
                call=f"json.dumps({', '.join(['payload', *options])})",
                notation=Notation(
                    strings=_ASCII if escapes else string_formats.javascript,
                    numbers=number_formats.python,
                    order=by_code_point if is_sorted else None,
                    layout=layout,
                    surrogate="" if escapes else None,
                ),
            )


_REPR = Notation(
    strings=repr, numbers=number_formats.python, words=("None", "True", "False"), layout=_SPACED
)


def _str(tree: Tree) -> str:
    is_text = isinstance(tree, str) and not isinstance(tree, Number)
    return str(tree) if is_text else write(tree, _REPR)


_STR = Serialiser(
    name="python-str", language=Language.PYTHON, call="str(payload)", makes=_str, says="is no JSON"
)
PYTHON = (*_dumps(), _STR)
