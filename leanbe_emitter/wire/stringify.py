"""``stringify(value)`` is ``JSON.stringify(value)``, to the byte (contract appendix 1).

Invariant: in JavaScript, ``JSON.stringify(JSON.parse(text)) === text`` for each text made here. So
a receiver that parses and stringifies the payload hashes exactly the signed text.

For nearly every payload, Python's encoder writes the same text as JavaScript, so it runs first. One
regular expression then looks for anything that the two may write differently, rather too often than
too rarely. Only if it finds something, the exact and slow way writes the text again.
"""

import json
import re
import reprlib
from collections import Counter
from typing import Any, TypeAlias

from leanbe_emitter.errors import InvalidValue, PayloadTooDeep, PayloadTooLarge

#: The deepest nesting of arrays and objects.
MAX_DEPTH = 200
#: The longest text of a payload, in bytes of UTF-8.
MAX_PAYLOAD_BYTES = 1_048_576

#: A value as ``json.loads`` returns it: dict with text keys, list, str, int, float, bool or None.
JSON: TypeAlias = Any

#: Types that hold other values. A tuple, because Python would build a union anew at each use.
_CONTAINERS = (dict, list, tuple)
#: A double holds every integer up to this one.
_MAX_EXACT = 2**53
#: The largest array index of JavaScript.
_MAX_INDEX = 2**32 - 2
#: JavaScript writes an exponent for more digits before the decimal point.
_MAX_DIGITS = 21
#: JavaScript writes an exponent for as many zeros after the decimal point.
_MAX_ZEROS = 6
#: An integer of at most this many characters is exact in a double.
_SHORT_INTEGER = 15

_SURROGATE = re.compile("[\ud800-\udfff]")
_INDEX = re.compile("0|[1-9][0-9]{0,9}")
# Matches a number that is no short integer, and a key that may be an index or was no text. It also
# matches strings that look like one, which costs time and changes nothing.
_SUSPICIOUS = re.compile(
    r"""
      [:,\[{] (?:
          "(?: [0-9-] | true | false | null | NaN | Infinity ) [^"]* ":
        | -?[0-9]+ (?: [.e][-+.e0-9]*[,\]}] | [0-9]{15} )
        | NaN
        | -?Infinity
      )
    """,
    re.VERBOSE,
)

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def stringify(
    value: JSON, *, max_depth: int = MAX_DEPTH, max_bytes: int = MAX_PAYLOAD_BYTES
) -> str:
    """Return the text that ``JSON.stringify`` would give for the value (contract appendix 1).

    Args:
        value: dicts with text keys, lists, tuples, str, int, float, bool and None, in any nesting.
        max_depth: the deepest nesting of arrays and objects.
        max_bytes: the longest text, in bytes of UTF-8.

    Returns:
        Text that always has a UTF-8 form, because lone surrogates are escaped.

    Raises:
        PayloadTooDeep: the nesting exceeds ``max_depth``.
        PayloadTooLarge: the text exceeds ``max_bytes``.
        InvalidValue: a value without a JSON form, a key that is no text, or a value that contains
            itself.
    """
    text = _quick(value, max_depth)
    if text is None:
        text = _exact(value, max_depth)
    _check_size(text, max_bytes)
    return text


def parse(text: str, *, max_depth: int = MAX_DEPTH) -> JSON:
    """Return the value that ``JSON.parse`` would give for the text.

    It refuses ``NaN`` and ``Infinity``. The last of two equal keys wins, at the place of the first.
    A number is the double of JavaScript: an int for a whole number up to 2^53 that is written
    without point or exponent, and a float otherwise (``1e400`` is infinite).

    Raises:
        InvalidValue: the text is not JSON.
        PayloadTooDeep: the nesting exceeds ``max_depth``.
    """
    return _parsed(text, _DECODER, max_depth)


def parse_given(text: str, *, max_depth: int = MAX_DEPTH) -> JSON:
    """Parse a user's text like ``parse``, and refuse what would be lost.

    It refuses a number that is too large for a double, because it would become null, and a member
    that appears twice, because one of the two would be ignored.

    Raises:
        InvalidValue: the text is not JSON, or contains such a number or member.
        PayloadTooDeep: the nesting exceeds ``max_depth``.
    """
    return _parsed(text, _GIVEN_DECODER, max_depth, hint=_HOW_TO_WRITE)


def parse_given_bytes(content: bytes, *, what: str, max_depth: int = MAX_DEPTH) -> JSON:
    """Parse a user's bytes like ``parse_given``, and refuse what is not UTF-8.

    Args:
        content: the bytes.
        what: what they are, for the message: ``The body``.
        max_depth: the deepest nesting.
    """
    try:
        return parse_given(content.decode(), max_depth=max_depth)
    except UnicodeDecodeError as error:
        raise InvalidValue(
            f"{what} is not UTF-8: byte {error.start} is wrong.", hint="JSON is always UTF-8."
        ) from None


_BYTE_ORDER_MARK = "\ufeff"
_HOW_TO_WRITE = 'JSON is like {"name": "Acme"}: put names and texts in double quotes.'


def _parsed(text: str, decoder: json.JSONDecoder, max_depth: int, *, hint: str = "") -> JSON:
    if text.startswith(_BYTE_ORDER_MARK):
        raise InvalidValue(
            "This is not JSON: it begins with a byte order mark.",
            hint="Write it in UTF-8 without the mark.",
        )
    try:
        value = decoder.decode(text)
    except json.JSONDecodeError as error:
        raise InvalidValue(f"This is not JSON: {error}.", hint=hint) from None
    except RecursionError:
        raise _too_deep(max_depth) from None
    if _brackets(text) > max_depth and _is_deeper(value, max_depth):
        raise _too_deep(max_depth)
    return value


def _quick(value: JSON, max_depth: int) -> str | None:
    """Return the text of Python's encoder if JavaScript writes the same for sure; else None."""
    if not isinstance(value, _CONTAINERS):
        return None
    try:
        text = _encode(value)
    except (TypeError, ValueError, RecursionError):
        return None  # the exact way finds the cause and its place
    if _brackets(text) > max_depth and _is_deeper(value, max_depth):
        raise _too_deep(max_depth)
    if _SUSPICIOUS.search(text) or not (text.isascii() or _has_utf8_form(text)):
        return None
    return text


def _brackets(text: str) -> int:
    """Return a quick upper bound of the text's depth."""
    return text.count("[") + text.count("{")


def _is_deeper(value: JSON, max_depth: int) -> bool:
    level = [value]
    for _ in range(max_depth + 1):
        level = [node for node in level if isinstance(node, _CONTAINERS)]
        if not level:
            return False
        level = [child for node in level for child in _children(node)]
    return True


def _children(node: JSON) -> JSON:
    return node.values() if isinstance(node, dict) else node


def _has_utf8_form(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_size(text: str, max_bytes: int) -> None:
    # A character has at most four bytes, so that a short text need not be encoded.
    if 4 * len(text) > max_bytes and (size := len(text.encode())) > max_bytes:
        raise PayloadTooLarge(
            f"The payload's text has {size} bytes; the limit is {max_bytes}.",
            hint="Shorten its texts or lists.",
        )


def _too_deep(max_depth: int) -> PayloadTooDeep:
    return PayloadTooDeep(
        f"The payload is nested deeper than the limit of {max_depth} levels.",
        hint="Use fewer levels of lists and objects.",
    )


def _exact(value: JSON, max_depth: int) -> str:
    try:
        return _write(value, max_depth=max_depth, path="payload", inside=())
    except RecursionError:
        raise _too_deep(max_depth) from None


def _write(value: object, *, max_depth: int, path: str, inside: tuple[int, ...]) -> str:
    """Write one value; ``inside`` has the ids of the containers around it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _write_text(value)
        case int() | float():
            return _write_number(value)
        case dict() | list() | tuple():
            _check_place(value, max_depth=max_depth, path=path, inside=inside)
            return _write_container(
                value, max_depth=max_depth, path=path, inside=(*inside, id(value))
            )
    raise InvalidValue(
        f"{path} is of type {type(value).__name__}, which has no JSON form.",
        hint="Use dict, list, str, int, float, bool or None.",
    )


def _check_place(value: object, *, max_depth: int, path: str, inside: tuple[int, ...]) -> None:
    if id(value) in inside:
        raise InvalidValue(f"{path} contains itself.", hint="Circular values have no JSON form.")
    if len(inside) >= max_depth:
        raise _too_deep(max_depth)


def _write_container(
    value: dict[object, object] | list[object] | tuple[object, ...],
    *,
    max_depth: int,
    path: str,
    inside: tuple[int, ...],
) -> str:
    if isinstance(value, dict):
        members = (
            f"{_write_text(key)}:"
            + _write(child, max_depth=max_depth, path=f"{path}.{key}", inside=inside)
            for key, child in _in_order(value, path=path)
        )
        return "{" + ",".join(members) + "}"
    items = (
        _write(child, max_depth=max_depth, path=f"{path}[{index}]", inside=inside)
        for index, child in enumerate(value)
    )
    return "[" + ",".join(items) + "]"


def _in_order(value: dict[object, object], *, path: str) -> list[tuple[str, object]]:
    """Return the members in JavaScript's order: ascending array indexes, then the others."""
    members: dict[str, object] = {}
    for key, child in value.items():
        if not isinstance(key, str):
            raise InvalidValue(
                f"{path} has the key {key!r}, which is no text.", hint="Write the key as text."
            )
        members[_joined(key)] = child
    indexes = sorted(filter(_is_index, members), key=int)
    return [(key, members[key]) for key in dict.fromkeys((*indexes, *members))]


def _is_index(key: str) -> bool:
    return bool(_INDEX.fullmatch(key)) and int(key) <= _MAX_INDEX


def _joined(text: str) -> str:
    """Return the text with one character in place of each pair of surrogates."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _write_text(text: str) -> str:
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", _encode(_joined(text)))


def _write_number(number: float) -> str:
    """Write a number's double as ECMAScript's Number::toString does."""
    if isinstance(number, int) and -_MAX_EXACT <= number <= _MAX_EXACT:
        return int.__repr__(number)
    try:
        double = float(number)
    except OverflowError:
        return "null"
    if double in (float("inf"), float("-inf")) or double != double:  # noqa: PLR0124 - true for NaN alone
        return "null"
    sign = "-" if double < 0 else ""
    return sign + _write_digits(*shortest_digits(abs(double)))


def shortest_digits(double: float) -> tuple[str, int]:
    """Return the shortest digits of a positive double, and the place of its decimal point.

    The place is the number of digits before the point; 0 or less if the point is before them all.
    """
    mantissa, _, exponent = float.__repr__(double).partition("e")
    whole, _, fraction = mantissa.partition(".")
    significant = (whole + fraction).lstrip("0")
    dropped = len(whole + fraction) - len(significant)
    return significant.rstrip("0"), len(whole) - dropped + int(exponent or 0)


def _write_digits(digits: str, point: int) -> str:
    if not digits:
        return "0"
    if len(digits) <= point <= _MAX_DIGITS:
        return digits.ljust(point, "0")
    if 0 < point <= _MAX_DIGITS:
        return f"{digits[:point]}.{digits[point:]}"
    if -_MAX_ZEROS < point <= 0:
        return "0." + "0" * -point + digits
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{mantissa}e{point - 1:+d}"


def _read_integer(text: str) -> float:
    if len(text) <= _SHORT_INTEGER:
        return int(text)
    double = float(text)
    return int(double) if -_MAX_EXACT <= double <= _MAX_EXACT else double


def _refuse_constant(name: str) -> JSON:
    raise InvalidValue(f"This is not JSON: it contains {name}.", hint="JSON has no such number.")


_DECODER = json.JSONDecoder(parse_int=_read_integer, parse_constant=_refuse_constant)


def _finite_integer(text: str) -> float:
    return _finite(_read_integer(text), text)


def _finite_float(text: str) -> float:
    return _finite(float(text), text)


def _finite(number: float, text: str) -> float:
    if number in (float("inf"), float("-inf")):
        raise InvalidValue(
            f"{reprlib.repr(text)} is no finite number.",
            hint="Use a number that a double can hold.",
        )
    return number


def _each_once(pairs: list[tuple[str, JSON]]) -> JSON:
    members = dict(pairs)
    if len(members) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise InvalidValue(f"{reprlib.repr(twice)} is there twice.", hint="Write it once.")
    return members


_GIVEN_DECODER = json.JSONDecoder(
    parse_int=_finite_integer,
    parse_float=_finite_float,
    parse_constant=_refuse_constant,
    object_pairs_hook=_each_once,
)
