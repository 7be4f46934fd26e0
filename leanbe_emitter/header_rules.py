"""Rules for a webhook's own headers; they apply when users set them and when requests send them.

No name or value may end the header early. Only the sender sets headers that frame the message (its
length, its connection). Messages never show values, because values may be tokens.
"""

import re
from collections.abc import Iterable
from typing import TypeAlias

from leanbe_emitter.errors import InvalidValue

#: Headers of a request, in order.
Headers: TypeAlias = tuple[tuple[str, str], ...]
#: The text in place of a secret.
MASK = "********"
#: Headers of every request, which are no secrets even if a product sets them.
OF_EVERY_REQUEST = frozenset({"host", "content-type", "content-length", "user-agent"})

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Visible Latin-1 text with spaces and tabs inside, as JavaScript's fetch takes it.
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_FRAMING = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def header_pairs(pairs: Iterable[Iterable[str]]) -> Headers:
    """Return stored headers as an immutable sequence of names and values."""
    return tuple((name, value) for name, value in pairs)


def check_header(name: str, value: str) -> tuple[str, str]:
    """Return the header, without white space around its value.

    Raises:
        InvalidValue: the name is no token or frames the message, or the value has a line break,
            another control character, or a character outside Latin-1.
    """
    if not _NAME.fullmatch(name):
        raise InvalidValue(
            f"{name!r} cannot be the name of a header.",
            hint="Use letters, digits and hyphens: X-Environment.",
        )
    if name.lower() in _FRAMING:
        raise InvalidValue(
            f"The header {name} cannot be set, because it frames the message.",
            hint="The sender sets it.",
        )
    if not _VALUE.fullmatch(value):
        raise InvalidValue(
            f"The value of the header {name} has a character that a header cannot hold.",
            hint="Use one line of Latin-1 text, without control characters.",
        )
    return name, value.strip(" \t")


def check_headers(pairs: Iterable[object]) -> list[tuple[str, str]]:
    """Return headers that ``check_header`` accepts.

    Raises:
        InvalidValue: there is something else than pairs of texts, or a header is refused.
    """
    return [check_header(*_pair(each)) for each in pairs]


def _pair(given: object) -> tuple[str, str]:
    match given:
        case (str(name), str(value)):
            return name, value
    # The message shows no value, which may be a secret.
    raise InvalidValue(
        "The headers are no pairs of texts.",
        hint='Give a list of names with their values: [("X-Environment", "test")].',
    )
