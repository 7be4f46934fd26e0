"""Strings that serialisers turn into something else: numbers in PHP, instants in Newtonsoft."""

import re

from leanbe_emitter.wire.explain import number_formats

_NUMERIC = re.compile(
    r"[ \t\n\r\v\f]*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)[ \t\n\r\v\f]*"
)
_INTEGER = re.compile(r"[+-]?\d+")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{1,7})Z")


def php_numeric(text: str) -> str | None:
    """Return the number that JSON_NUMERIC_CHECK makes of a string; None if it is none."""
    found = _NUMERIC.fullmatch(text)
    if found is None or not text.isascii():
        return None
    number = found[1]
    return number_formats.php(str(int(number)) if _INTEGER.fullmatch(number) else number)


def newtonsoft_instant(text: str) -> str | None:
    """Return the instant as Newtonsoft writes it, without zeros at its end; None if it is none."""
    found = _INSTANT.fullmatch(text)
    if found is None:
        return None
    fraction = found[2].rstrip("0")
    return f'"{found[1]}{f".{fraction}" if fraction else ""}Z"'
