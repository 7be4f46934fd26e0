"""Rules for the URLs and addresses that webhooks may call.

A server that posts to any URL lets its users forge requests. So the rules refuse a forbidden
address in every form: as a literal, behind a name, behind a redirect, or inside an IPv6 address.
``check_url`` checks a URL when a user sets it; ``check_address`` checks the address at each
connection. This module is pure and resolves nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urlsplit

from leanbe_emitter.errors import InvalidTarget, InvalidValue, check_type
from leanbe_emitter.host_syntax import is_name, is_numeric

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: The longest URL, in characters.
LONGEST_URL = 4096
#: The setting that allows more targets, for hints.
SETTING = "LEANBE_EMITTER_ALLOW_TARGETS"
#: The setting that names all targets, for hints.
ONLY_SETTING = "LEANBE_EMITTER_ONLY_TARGETS"

_EXAMPLE = "A webhook's URL looks like http://localhost:8000/webhook."
_ALLOW_EXAMPLE = f"{SETTING}=hooks.example.com,10.0.0.0/8 is an example."
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HIGHEST_PORT = 65535
_LONGEST_SHOWN = 200

_NETLOC = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)\]|(?P<name>[^\[\]:]+))(?::(?P<port>.*))?"
)
_PORT = re.compile(r"[0-9]{1,5}")
# Characters that stay as they are in path and query: visible ASCII, with the percent sign.
_KEPT_IN_PATHS = "".join(chr(code) for code in range(0x21, 0x7F))
# Characters that a URL cannot have: C0, DEL and C1 controls, white space, lone surrogates, and the
# backslash, which only browsers take for a slash.
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f-\x9f\\\ud800-\udfff]|\s")
_CREDENTIALS = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*:)?/*.*@", re.DOTALL)

# Addresses at which clouds give credentials to any caller from inside.
_METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, Oracle, DigitalOcean and others
        "169.254.170.2",  # AWS, containers
        "169.254.170.23",  # AWS, pods
        "169.254.169.250",  # Rancher
        "169.254.0.23",  # Tencent
        "169.254.10.10",  # Tencent
        "169.254.42.42",  # Scaleway
        "168.63.129.16",  # Azure, the host's own
        "100.100.100.200",  # Alibaba
        "100.96.0.96",  # Volcano Engine, BytePlus
        "100.80.80.80",  # UCloud
        "192.0.0.192",  # Oracle
        "fd00:ec2::254",  # AWS
        "fd00:ec2::23",  # AWS, pods
        "fd20:ce::254",  # Google
        "fd00:c1::a9fe:a9fe",  # Oracle
        "fd00:100::100:200",  # Alibaba
        "fd00:42::42",  # Scaleway
        "fd00:a9fe:a9fe::1",  # Akamai (Linode)
        "fe80::a9fe:a9fe",  # OpenStack, Akamai
    )
)
_FORBIDDEN: tuple[tuple[str, tuple[Network, ...]], ...] = (
    ("unspecified", (ip_network("0.0.0.0/8"), ip_network("::/128"))),
    ("link-local", (ip_network("169.254.0.0/16"), ip_network("fe80::/10"))),
    ("multicast", (ip_network("224.0.0.0/4"), ip_network("ff00::/8"))),
    ("broadcast", (ip_network("255.255.255.255/32"),)),
)
_LOOPBACK_AND_PRIVATE: tuple[Network, ...] = (
    ip_network("127.0.0.0/8"),
    ip_network("::1/128"),
    ip_network("10.0.0.0/8"),
    ip_network("172.16.0.0/12"),
    ip_network("192.168.0.0/16"),
    ip_network("100.64.0.0/10"),
    ip_network("fc00::/7"),
)
# Prefixes whose last 32 bits are an IPv4 address that a translator or a network stack may call.
_CARRIES_IPV4 = (ip_network("64:ff9b::/96"), ip_network("::/96"), ip_network("::ffff:0:0:0/96"))
# The prefix of a network's own translators. The network decides after how many bits the IPv4
# address follows; bits 64 to 71 are never a part of it.
_LOCAL_TRANSLATION = ip_network("64:ff9b:1::/48")
_TRANSLATION_PREFIXES = (48, 56, 64)
_UNUSED_OCTET_BEGINS, _UNUSED_OCTET_ENDS = 64, 72
_UNSPECIFIED = IPv4Network("0.0.0.0/8")


@dataclass(frozen=True, kw_only=True)
class TargetRules:
    """The targets that webhooks may call.

    Attributes:
        allow: host names, addresses and CIDRs that are allowed despite the other rules; metadata
            addresses stay forbidden. Invalid entries raise ``InvalidValue``.
        only: host names, addresses and CIDRs, if these are the only targets. Metadata addresses
            stay forbidden; no other rule applies.
        exposed: whether others can reach the server; then only loopback and private networks are
            allowed.
    """

    allow: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    exposed: bool = False

    def __post_init__(self) -> None:
        _allowed(self.allow)
        _allowed(self.only)


@dataclass(frozen=True, kw_only=True)
class Target:
    """The parts of a URL, for its callers.

    Attributes:
        scheme: ``http`` or ``https``.
        host: a name in lower case, or an address without brackets.
        port: the URL's port, or the scheme's default.
        path: path and query for the request line, in percent-encoded ASCII.
    """

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> "Target":
        """Return the parts of a URL that passed ``check_url``.

        Raises:
            InvalidTarget: the URL lacks a part. Only ``check_url`` finds other problems.
        """
        try:
            return _target(url)
        except (KeyError, ValueError) as error:
            raise InvalidTarget(
                f"The URL {_shown(url)} cannot be called.", hint=_EXAMPLE
            ) from error

    @property
    def authority(self) -> str:
        """The value of the header ``Host``, without the scheme's default port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port, which a connection belongs to."""
        return (self.scheme, self.host, self.port)


@lru_cache(maxsize=1024)
def _target(url: str) -> Target:
    parts = urlsplit(url)
    path = quote(parts.path or "/", safe=_KEPT_IN_PATHS)
    query = f"?{quote(parts.query, safe=_KEPT_IN_PATHS)}" if "?" in url else ""
    return Target(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=parts.port or _DEFAULT_PORTS[parts.scheme],
        path=path + query,
    )


def check_url(url: str, rules: TargetRules, *, require_https: bool = False) -> str:
    """Return the unchanged URL if a webhook may call it.

    This function resolves no name: ``check_address`` checks its address at each connection.

    Args:
        url: an absolute http or https URL.
        rules: the targets that webhooks may call.
        require_https: the assumption ``require_https``.

    Raises:
        InvalidTarget: a webhook must not call the URL. The message gives the reason and hides
            credentials in the URL.
    """
    _check_text(url)
    netloc = _check_parts(url, require_https=require_https)
    host = _check_netloc(url, netloc)
    if _is_literal(url, host):
        check_address(host, rules, host=host)
    return url


def _check_text(url: str) -> None:
    check_type(url, str, what="The URL", words="text, such as http://localhost:8000/webhook")
    if not url:
        raise InvalidTarget("The URL is empty.", hint=_EXAMPLE)
    if len(url) > LONGEST_URL:
        raise InvalidTarget(
            f"The URL {_shown(url)} has {len(url)} characters.",
            hint=f"The limit is {LONGEST_URL} characters.",
        )
    if odd := _NOT_IN_URLS.search(url):
        raise InvalidTarget(
            f"The URL {_shown(url)} has the character {odd.group()!r} at {odd.start()}.",
            hint="Percent-encode such characters: a space is %20.",
        )


def _check_parts(url: str, *, require_https: bool) -> str:
    """Return the part between ``//`` and the path."""
    shown = _shown(url)
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InvalidTarget(f"The URL {shown} is malformed.", hint=_EXAMPLE) from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise InvalidTarget(f"The URL {shown} is not an http or https URL.", hint=_EXAMPLE)
    if require_https and parts.scheme != "https":
        raise InvalidTarget(
            f"The URL {shown} is not https.", hint="The assumption require_https asks for it."
        )
    if not parts.netloc:
        raise InvalidTarget(f"The URL {shown} has no host.", hint=_EXAMPLE)
    if "@" in parts.netloc:
        raise InvalidTarget(
            f"The URL {shown} contains credentials.",
            hint="Send them in a header of the webhook: Authorization: Basic ...",
        )
    if "#" in url:
        raise InvalidTarget(
            f"The URL {shown} has a fragment (#).",
            hint="Requests have no fragment: leave it out, or write %23 for the character #.",
        )
    return parts.netloc


def _check_netloc(url: str, netloc: str) -> str:
    """Return the host, without brackets and in lower case."""
    match = _NETLOC.fullmatch(netloc)
    if match is None:
        raise InvalidTarget(f"The host and port of {_shown(url)} are malformed.", hint=_EXAMPLE)
    port = match["port"]
    if port is not None and not (
        _PORT.fullmatch(port) and 1 <= int(port) <= _HIGHEST_PORT  # the length is bounded
    ):
        raise InvalidTarget(
            f"The URL {_shown(url)} has an invalid port.",
            hint=f"A port is a number from 1 to {_HIGHEST_PORT}.",
        )
    return str(match["six"] or match["name"]).lower()


def _is_literal(url: str, host: str) -> bool:
    """Return whether the host is an address; else it is a name.

    Odd forms of an address (octal, hexadecimal, one number) are refused, because programs disagree
    on their meaning.
    """
    if ":" in host:
        try:
            IPv6Address(host)
        except ValueError as error:
            raise InvalidTarget(
                f"The IPv6 address of {_shown(url)} is malformed.",
                hint="Write it like http://[::1]:8000/hook, without a zone (%eth0).",
            ) from error
    elif is_numeric(host):
        try:
            IPv4Address(host)
        except ValueError as error:
            raise InvalidTarget(
                f"The host of {_shown(url)} is an odd form of an address.",
                hint="Write four decimal numbers: 127.0.0.1.",
            ) from error
    else:
        _check_name(url, host)
        return False
    return True


def _check_name(url: str, host: str) -> None:
    if not host.isascii():
        raise InvalidTarget(
            f"The host of {_shown(url)} is not ASCII.",
            hint="Write the ASCII form of the name, which begins with xn--.",
        )
    if not is_name(host):
        raise InvalidTarget(f"The host of {_shown(url)} is no valid name.", hint=_EXAMPLE)


def parse_targets(text: str) -> tuple[str, ...]:
    """Parse hosts and networks that are separated by commas, for ``TargetRules``.

    Raises:
        InvalidValue: an entry is no host, address or CIDR.
    """
    names = tuple(name for part in text.split(",") if (name := part.strip()))
    return TargetRules(allow=names).allow


def parse_only_targets(text: str) -> tuple[str, ...]:
    """Parse hosts and networks that are separated by commas; there must be one.

    Raises:
        InvalidValue: an entry is no host, address or CIDR, or there is none.
    """
    if not (names := parse_targets(text)):
        raise InvalidValue(
            f"{text!r} names no target, so no webhook could go anywhere.",
            hint="Name one: 127.0.0.1, 10.0.0.0/8 or hooks.example.com.",
        )
    return names


def check_address(address: str, rules: TargetRules, *, host: str) -> None:
    """Check an address right before a connection to it.

    Args:
        address: the address of the connection.
        rules: the targets that webhooks may call.
        host: the URL's host, which resolved to the address.

    Raises:
        InvalidTarget: a webhook must not call the address. The message names the address and the
            rule; the hint names the setting that allows it.
    """
    addresses = _addresses_in(_parsed(address))
    resolved = "" if host == address else f", the address of {host},"
    if not _METADATA.isdisjoint(addresses):
        raise InvalidTarget(
            f"A webhook must not call {address}{resolved} because it is a metadata address.",
            hint=f"{SETTING} cannot allow metadata addresses.",
        )
    if _is_listed(addresses[0], host, rules.only or rules.allow):
        return
    if rules.only:
        raise InvalidTarget(
            f"A webhook must not call {address}{resolved} because it is not one of the only "
            "targets.",
            hint=f"To allow it, add it to {ONLY_SETTING}.",
        )
    rule = _refusal(addresses, exposed=rules.exposed)
    if rule:
        raise InvalidTarget(
            f"A webhook must not call {address}{resolved} because {rule}.",
            hint=f"To allow it, set {SETTING}={address}.",
        )


def _parsed(address: str) -> Address:
    try:
        return ip_address(address.partition("%")[0])
    except ValueError as error:
        raise InvalidTarget(
            f"{address!r} is no address.", hint="An address is like 127.0.0.1 or ::1."
        ) from error


def _addresses_in(address: Address) -> tuple[Address, ...]:
    """Return the address, and the IPv4 addresses that it carries."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    return (address, *_carried_by(address))


def _carried_by(address: IPv6Address) -> tuple[IPv4Address, ...]:
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in _LOCAL_TRANSLATION:
        return tuple(_translated(address))
    if int(address) > 1 and any(address in network for network in _CARRIES_IPV4):
        return (_last_bits(int(address)),)
    return ()


def _translated(address: IPv6Address) -> Iterator[IPv4Address]:
    """Yield the IPv4 addresses that a network's translator may read in an address (RFC 6052).

    The wrong readings of an address are mostly of the kind 0.0.10.1, which nobody can call.
    """
    bits = int(address)
    behind = 128 - _UNUSED_OCTET_ENDS
    before = bits >> (128 - _UNUSED_OCTET_BEGINS)
    joined = before << behind | bits & (1 << behind) - 1
    length = behind + _UNUSED_OCTET_BEGINS
    readings = [_last_bits(joined >> (length - each - 32)) for each in _TRANSLATION_PREFIXES]
    readings.append(_last_bits(bits))
    yield from (each for each in readings if each not in _UNSPECIFIED)


def _last_bits(bits: int) -> IPv4Address:
    return IPv4Address(bits & 0xFFFFFFFF)


def _refusal(addresses: tuple[Address, ...], *, exposed: bool) -> str:
    """Return the rule that forbids the address, as a part of a sentence; empty without one."""
    for kind, networks in _FORBIDDEN:
        if any(each in network for each in addresses for network in networks):
            return f"{kind} addresses are forbidden"
    if exposed and not all(_is_private(each) for each in addresses):
        return "others can reach this server, so only loopback and private networks are allowed"
    return ""


def _is_private(address: Address) -> bool:
    # Not the standard library's is_private, which lacks 100.64.0.0/10 and includes other networks.
    return any(address in network for network in _LOOPBACK_AND_PRIVATE)


def _is_listed(address: Address, host: str, entries: tuple[str, ...]) -> bool:
    hosts, networks = _allowed(entries)
    return host.lower().rstrip(".") in hosts or any(address in network for network in networks)


@lru_cache(maxsize=64)
def _allowed(entries: tuple[str, ...]) -> tuple[frozenset[str], tuple[Network, ...]]:
    hosts, networks = set(), list[Network]()
    for entry in entries:
        if "/" in entry or ":" in entry or is_numeric(entry):
            networks.append(_network(entry))
        elif is_name(entry):
            hosts.add(entry.lower().rstrip("."))
        else:
            raise InvalidValue(f"{entry!r} is no host, address or CIDR.", hint=_ALLOW_EXAMPLE)
    return frozenset(hosts), tuple(networks)


def _network(entry: str) -> Network:
    try:
        return ip_network(entry)
    except ValueError as error:
        raise InvalidValue(
            f"{entry!r} is no address or CIDR: {error}.", hint=_ALLOW_EXAMPLE
        ) from error


def _shown(url: str) -> str:
    """Return the URL for a message: quoted, without credentials, and shortened."""
    masked = _CREDENTIALS.sub(r"\1//***@", url)
    return repr(masked if len(masked) <= _LONGEST_SHOWN else f"{masked[:_LONGEST_SHOWN]}...")
