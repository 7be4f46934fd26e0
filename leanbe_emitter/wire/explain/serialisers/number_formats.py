"""Numbers as serialisers of other languages write them, and strings that become other values.

Each function takes the text of a JSON number, or of a string that PHP or Newtonsoft reads as one.

The formats differ in three ways: when they use an exponent, how they spell it, and whether a whole
number gets a fraction.
"""

import re

from leanbe_emitter.wire.stringify import shortest_digits

_LARGEST_LONG = 2**63
_NUMERIC = re.compile(
    r"[ \t\n\r\v\f]*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)[ \t\n\r\v\f]*"
)
_INTEGER = re.compile(r"[+-]?\d+")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{1,7})Z")


def as_it_came(text: str) -> str:
    """Return the number as the text spells it: Go's json.Number, Gson's JsonElement."""
    return text


def python(text: str) -> str:
    """Return the number as Python's json.dumps writes it."""
    return str(int(text)) if _is_integer(text) else repr(float(text))


def javascript(text: str) -> str:
    """Return the number as JSON.stringify writes it."""
    written = go(text)
    return "0" if written == "-0" else written


def go(text: str) -> str:
    """Return the number as Go writes a float64, which is as JavaScript does but for -0."""
    digits, point, sign = _parts(text)
    if digits and not -6 < point <= 21:  # noqa: PLR2004 - the limits of encoding/json
        return sign + _scientific(digits, point, "e", zero=False, plus=True, width=1)
    return sign + _positional(digits, point)


def go_value(text: str) -> str:
    """Return the number as Go's fmt.Sprint writes a float64."""
    digits, point, sign = _parts(text)
    if digits and not -4 < point <= 6:  # noqa: PLR2004 - the limits of %v
        return sign + _scientific(digits, point, "e", zero=False, plus=True, width=2)
    return sign + _positional(digits, point)


def php(text: str) -> str:
    """Return the number as PHP's json_encode writes it; a long integer is a float."""
    if _is_integer(text) and -_LARGEST_LONG <= int(text) < _LARGEST_LONG:
        return str(int(text))
    digits, point, sign = _parts(text)
    if digits and not -3 <= point <= 17:  # noqa: PLR2004 - the limits of serialize_precision -1
        return sign + _scientific(digits, point, "e", zero=True, plus=True, width=1)
    return sign + _positional(digits, point)


def php_with_fraction(text: str) -> str:
    """Return the number as PHP writes it with JSON_PRESERVE_ZERO_FRACTION."""
    written = php(text)
    is_float = not _is_integer(text)
    return f"{written}.0" if is_float and _is_integer(written) else written


def ruby(text: str) -> str:
    """Return the number as Ruby writes an Integer or a Float."""
    if _is_integer(text):
        return str(int(text))
    digits, point, sign = _parts(text)
    if digits and not -4 < point <= 15:  # noqa: PLR2004 - the limits of Float#to_s
        return sign + _scientific(digits, point, "e", zero=True, plus=True, width=2)
    return sign + _with_fraction(_positional(digits, point))


def java(text: str) -> str:
    """Return the number as Jackson writes it: an integer, or Java's Double.toString."""
    return str(int(text)) if _is_integer(text) else java_double(text)


def java_double(text: str) -> str:
    """Return the number as Java's Double.toString writes it, which Gson does with every number."""
    digits, point, sign = _parts(text)
    if digits and not -3 < point <= 7:  # noqa: PLR2004 - the limits of Double.toString
        if len(digits) == 1:  # Java writes two digits at least, the nearest: 4.9E-324
            digits = f"{abs(float(text)):.1e}"[:3].replace(".", "")
        return sign + _scientific(digits, point, "E", zero=True, plus=False, width=1)
    return sign + _with_fraction(_positional(digits, point))


def dotnet(text: str) -> str:
    """Return the number as Newtonsoft writes it: an integer, or .NET's round-trip format."""
    if _is_integer(text):
        return str(int(text))
    digits, point, sign = _parts(text)
    if digits and not -4 < point <= 15:  # noqa: PLR2004 - the limits of the format "R"
        return sign + _scientific(digits, point, "E", zero=False, plus=True, width=2)
    return sign + _with_fraction(_positional(digits, point))


def php_numeric(text: str) -> str | None:
    """Return the number that JSON_NUMERIC_CHECK makes of a string; None if it is none."""
    found = _NUMERIC.fullmatch(text)
    if found is None or not text.isascii():
        return None
    number = found[1]
    return php(str(int(number)) if _INTEGER.fullmatch(number) else number)


def newtonsoft_instant(text: str) -> str | None:
    """Return the instant as Newtonsoft writes it, without zeros at its end; None if it is none."""
    found = _INSTANT.fullmatch(text)
    if found is None:
        return None
    fraction = found[2].rstrip("0")
    return f'"{found[1]}{f".{fraction}" if fraction else ""}Z"'


def _is_integer(text: str) -> bool:
    return text.lstrip("-").isdigit()


def _parts(text: str) -> tuple[str, int, str]:
    """Return the digits of a number's double, the place of its point, and its sign."""
    sign = "-" if text.startswith("-") else ""
    digits, point = shortest_digits(abs(float(text)))
    return digits, point, sign


def _positional(digits: str, point: int) -> str:
    if not digits:
        return "0"
    if point <= 0:
        return "0." + "0" * -point + digits
    if len(digits) <= point:
        return digits.ljust(point, "0")
    return f"{digits[:point]}.{digits[point:]}"


def _with_fraction(text: str) -> str:
    return text if "." in text else f"{text}.0"


def _scientific(  # noqa: PLR0913 - the ways in which exponents differ
    digits: str, point: int, letter: str, *, zero: bool, plus: bool, width: int
) -> str:
    """Return ``d.dddE±X``.

    Args:
        digits: the number's digits.
        point: the place of its point.
        letter: the letter of the exponent.
        zero: whether a single digit gets ``.0``.
        plus: whether a positive exponent has a sign.
        width: the exponent's least number of digits.
    """
    fraction = digits[1:] or ("0" if zero else "")
    exponent = point - 1
    sign = "-" if exponent < 0 else ("+" if plus else "")
    mantissa = digits[0] + (f".{fraction}" if fraction else "")
    return f"{mantissa}{letter}{sign}{abs(exponent):0{width}d}"
