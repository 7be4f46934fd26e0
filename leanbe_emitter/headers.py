"""Which headers a webhook may carry: pure rules, asked when they are set and when they are sent.

A name or value that could end the header early never gets out; what frames the message (its
length, its connection) is the sender's alone. Values are never shown: they hold tokens.
"""

import re

from leanbe_emitter.errors import InvalidValue

#: What stands where a secret is not shown.
MASK = "********"
#: What every request has, also where a product set it: nobody's secret.
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


def check_header(name: str, value: str) -> tuple[str, str]:
    """Return the header, its value without white space around it.

    Raises:
        InvalidValue: the name is no token or frames the message, or the value holds a line
            break, another control character, or something outside Latin-1.
    """
    if not _NAME.fullmatch(name):
        raise InvalidValue(
            f"{name!r} cannot be the name of a header.",
            hint="Use letters, digits and hyphens: X-Environment.",
        )
    if name.lower() in _FRAMING:
        raise InvalidValue(
            f"The header {name} cannot be set: it frames the message.",
            hint="The sender writes it itself.",
        )
    if not _VALUE.fullmatch(value):
        raise InvalidValue(
            f"The value of the header {name} has a character that a header cannot hold.",
            hint="Use one line of Latin-1 text, without control characters.",
        )
    return name, value.strip(" \t")
