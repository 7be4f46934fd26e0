"""PHP's json_encode with its flags, of objects and of arrays."""

from collections.abc import Iterator

from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.serialisers import number_formats, string_formats
from leanbe_emitter.wire.explain.serialisers.notation import Layout, Notation, Serialiser
from leanbe_emitter.wire.explain.serialisers.number_formats import php_numeric

_PRETTY = Layout(indent="    ", behind_key=": ")
_S, _U = "JSON_UNESCAPED_SLASHES", "JSON_UNESCAPED_UNICODE"
_FLAGS: tuple[tuple[str, tuple[str, ...], Notation], ...] = (
    ("", (), Notation(strings=string_formats.php_default)),
    ("-slashes-unicode", (_S, _U), Notation(strings=string_formats.php_slashes_unicode)),
    ("-unicode", (_U,), Notation(strings=string_formats.php_unicode)),
    ("-slashes", (_S,), Notation(strings=string_formats.php_slashes)),
    ("-slashes-unicode-lines", (_S, _U, "JSON_UNESCAPED_LINE_TERMINATORS"), Notation()),
    (
        "-slashes-unicode-zero",
        (_S, _U, "JSON_PRESERVE_ZERO_FRACTION"),
        Notation(
            strings=string_formats.php_slashes_unicode, numbers=number_formats.php_with_fraction
        ),
    ),
    (
        "-pretty",
        ("JSON_PRETTY_PRINT",),
        Notation(strings=string_formats.php_default, layout=_PRETTY),
    ),
    (
        "-slashes-unicode-pretty",
        (_S, _U, "JSON_PRETTY_PRINT"),
        Notation(strings=string_formats.php_slashes_unicode, layout=_PRETTY),
    ),
    (
        "-numeric",
        ("JSON_NUMERIC_CHECK",),
        Notation(strings=string_formats.php_default, replaces=php_numeric),
    ),
    (
        "-hex",
        ("JSON_HEX_TAG", "JSON_HEX_AMP", "JSON_HEX_APOS", "JSON_HEX_QUOT"),
        Notation(strings=string_formats.php_hex),
    ),
)


def _ways() -> Iterator[Serialiser]:
    for kind, payload, is_array in (
        ("objects", "$body->payload", False),
        ("arrays", "$body['payload']", True),
    ):
        for name, flags, base in _FLAGS:
            yield Serialiser(
                name=f"php-{kind}{name}",
                language=Language.PHP,
                call=f"json_encode({', '.join(filter(None, [payload, ' | '.join(flags)]))})",
                notation=_of_php(base, is_array=is_array),
            )


def _of_php(base: Notation, *, is_array: bool) -> Notation:
    has_own_numbers = base.numbers is not Notation().numbers
    return Notation(
        strings=base.strings,
        numbers=base.numbers if has_own_numbers else number_formats.php,
        replaces=base.replaces,
        layout=base.layout,
        has_arrays_only=is_array,
        keys=base.strings,
        surrogate=None,
    )


PHP = (*_ways(),)
