"""Syntax of hosts: names or addresses of machines."""

import re
from ipaddress import ip_address

from leanbe_emitter.errors import InvalidValue

_LONGEST_NAME = 253
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
# Resolvers take a host whose last label is a number for an address: 2130706433, 0x7f.1, 127.1.
_NUMERIC_LABEL = re.compile(r"0[xX][0-9A-Fa-f]*|[0-9]+")


def parse_host(text: str) -> str:
    """Return a host in lower case, without the dot at a name's end.

    Raises:
        InvalidValue: it is no name and no address; it has a scheme, a port or a path, or is a
            pattern (``*``).
    """
    host = text.strip().lower()
    if not (is_address(host) or (is_name(host) and not is_numeric(host))):
        raise InvalidValue(
            f"{text!r} is no host.",
            hint="Write a name or an address, without http:// and without a port: leanbe.example, "
            "192.168.0.7, ::1.",
        )
    return host.rstrip(".")


def is_name(host: str) -> bool:
    """Return whether a host has the form of an ASCII name."""
    return len(host) <= _LONGEST_NAME and _NAME.fullmatch(host) is not None


def is_numeric(host: str) -> bool:
    """Return whether resolvers take a host for an IPv4 address, also in an odd form."""
    return _NUMERIC_LABEL.fullmatch(host.rstrip(".").rpartition(".")[2]) is not None


def is_address(host: str) -> bool:
    """Return whether a host is an address, without brackets."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server that listens at a host."""
    if host.lower().rstrip(".") == "localhost":
        return True
    return is_address(host) and ip_address(host).is_loopback
