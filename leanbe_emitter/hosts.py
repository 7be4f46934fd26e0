"""What a host is: a name or an address, by which a machine is found, listened at or asked for."""

import re
from ipaddress import ip_address

from leanbe_emitter.errors import InvalidValue

_LONGEST_NAME = 253
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
# Resolvers read a host whose last label is a number as an address: 2130706433, 0x7f.1, 127.1.
_NUMERIC_LABEL = re.compile(r"0[xX][0-9A-Fa-f]*|[0-9]+")


def parse_host(text: str) -> str:
    """Return a host in lower case, without the dot of a name's end.

    Raises:
        InvalidValue: it is neither a name nor an address: it holds a scheme, a port or a path,
            or stands for many (``*``).
    """
    host = text.strip().lower()
    if not (is_address(host) or (is_name(host) and not is_numeric(host))):
        raise InvalidValue(
            f"{text!r} is no host.",
            hint="Write a name or an address alone, without http:// and a port: leanbe.example, "
            "192.168.0.7, ::1.",
        )
    return host.rstrip(".")


def is_name(host: str) -> bool:
    """Say whether a host has the form of a name, in ASCII."""
    return len(host) <= _LONGEST_NAME and _NAME.fullmatch(host) is not None


def is_numeric(host: str) -> bool:
    """Say whether resolvers would read a host as an IPv4 address, however oddly it is written."""
    return _NUMERIC_LABEL.fullmatch(host.rstrip(".").rpartition(".")[2]) is not None


def is_address(host: str) -> bool:
    """Say whether a host is an address, without brackets."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Say whether a host, as one to listen at, is reached from this machine only."""
    if host.lower().rstrip(".") == "localhost":
        return True
    return is_address(host) and ip_address(host).is_loopback
