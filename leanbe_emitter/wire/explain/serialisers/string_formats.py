"""Strings as serialisers write them: which characters each of them escapes, and how.

Every format escapes the quotation mark, the backslash and the control characters, as JSON demands.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache, partial

#: Writes a string with its quotation marks.
StringFormat = Callable[[str], str]

_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_ALWAYS = {'"': '\\"', "\\": "\\\\", **_SHORT}
_LINE_SEPARATORS = {"\u2028": "\\u2028", "\u2029": "\\u2029"}
_SLASH = {"/": "\\/"}
_BEYOND_ASCII = "\x80-\U0010ffff"


def json_strings(
    *, escapes: Mapping[str, str] | None = None, beyond: str = "", upper: bool = False
) -> StringFormat:
    r"""Return a format of JSON strings.

    Args:
        escapes: characters that are escaped besides those that JSON demands.
        beyond: a range of characters, as a regular expression has it, that become ``\uXXXX``.
        upper: whether the hex digits are in upper case.
    """
    replaced = {**_ALWAYS, **(escapes or {})}

    def escape(found: re.Match[str]) -> str:
        character = found[0]
        return replaced.get(character) or _units(character, upper=upper)

    @cache
    def escaping() -> Callable[[str], str]:
        # A pattern takes milliseconds to compile, so only a format that is used compiles its own.
        special = re.escape("".join(replaced))
        pattern = re.compile(f"[{special}\x00-\x1f\ud800-\udfff{beyond}]")
        return partial(pattern.sub, escape)

    return lambda text: f'"{escaping()(text)}"'


def _units(character: str, *, upper: bool) -> str:
    r"""Return ``\uXXXX`` for each UTF-16 unit of a character."""
    units = character.encode("utf-16-be", "surrogatepass")
    width = "04X" if upper else "04x"
    return "".join(
        f"\\u{int.from_bytes(units[at : at + 2]):{width}}" for at in range(0, len(units), 2)
    )


def _lower(characters: str) -> dict[str, str]:
    return {each: f"\\u{ord(each):04x}" for each in characters}


def _upper(characters: str) -> dict[str, str]:
    return {each: f"\\u{ord(each):04X}" for each in characters}


javascript = json_strings()
python_ascii = json_strings(beyond=f"\x7f{_BEYOND_ASCII}")
php_default = json_strings(escapes=_SLASH, beyond=_BEYOND_ASCII)
php_slashes = json_strings(beyond=_BEYOND_ASCII)
php_unicode = json_strings(escapes={**_SLASH, **_LINE_SEPARATORS})
php_slashes_unicode = json_strings(escapes=_LINE_SEPARATORS)
php_hex = json_strings(escapes={**_SLASH, **_upper("<>&'\"")}, beyond=_BEYOND_ASCII)
go_html = json_strings(escapes={**_lower("<>&"), **_LINE_SEPARATORS})
line_separators = php_slashes_unicode
ruby_script_safe = php_unicode
ruby_ascii = php_slashes
java_jackson = json_strings(upper=True)
java_jackson_ascii = json_strings(beyond=_BEYOND_ASCII, upper=True)
java_gson = json_strings(escapes={**_lower("<>&='"), **_LINE_SEPARATORS})
csharp_default = json_strings(escapes=_upper("<>&'\"+`"), beyond=f"\x7f{_BEYOND_ASCII}", upper=True)
csharp_relaxed = json_strings(beyond="\x7f-\x9f\u2028\u2029\U00010000-\U0010ffff", upper=True)
newtonsoft = json_strings(escapes={**_LINE_SEPARATORS, "\x85": "\\u0085"})


def bare(text: str) -> str:
    """Return the string without quotation marks: Go's fmt.Sprint, Java's Map.toString."""
    return text


def ruby_inspected(text: str) -> str:
    """Return the string as Ruby's inspect writes it."""
    return '"' + _INTERPOLATION.sub(r"\\#", "".join(map(_ruby_character, text))) + '"'


_INTERPOLATION = re.compile(r"#(?=[{$@])")
_RUBY_ESCAPES = {**_ALWAYS, "\a": "\\a", "\v": "\\v", "\x1b": "\\e"}
_NOT_PRINTABLE = {"Cc", "Cn", "Co", "Cs", "Zl", "Zp"}


def _ruby_character(character: str) -> str:
    if character in _RUBY_ESCAPES:
        return _RUBY_ESCAPES[character]
    if unicodedata.category(character) in _NOT_PRINTABLE:
        point = ord(character)
        return f"\\u{{{point:X}}}" if point > 0xFFFF else f"\\u{point:04X}"  # noqa: PLR2004
    return character
