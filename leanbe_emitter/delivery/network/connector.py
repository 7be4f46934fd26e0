"""Connector: it opens a connection to a URL's host, to the very address that was checked.

No byte of a request has gone out yet, so every failure here is ``Unreachable``. The connector tries
each address of a name in order, each for its share of the time left. So an address family that does
not answer leaves time for the other. ``localhost`` is always ::1 and 127.0.0.1, because many
receivers listen on one of the two only.
"""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import ip_address
from typing import TypeVar

from leanbe_emitter.delivery.network.resolver import Resolve
from leanbe_emitter.delivery.network.transport import TlsSettings, Unreachable
from leanbe_emitter.errors import InvalidTarget, OutOfDescriptors
from leanbe_emitter.target_rules import Target, TargetRules, check_address

ProtocolT = TypeVar("ProtocolT", bound=asyncio.Protocol)

#: The system's errors for a process, and for a machine, that has too many files open.
_OUT_OF_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE})
_LOOPBACK = ("::1", "127.0.0.1")


class Connector:
    """Open connections to targets that the rules allow.

    Args:
        rules: where webhooks may point; every address that is tried is checked.
        resolve: resolves names to addresses.
    """

    def __init__(self, *, rules: TargetRules, resolve: Resolve) -> None:
        self._rules = rules
        self._resolve = resolve
        self._contexts: dict[TlsSettings, ssl.SSLContext] = {}

    async def connect(
        self,
        target: Target,
        protocol: Callable[[str], ProtocolT],
        *,
        tls: TlsSettings,
        deadline: float,
    ) -> ProtocolT:
        """Connect to the target and return the protocol.

        Args:
            target: the target.
            protocol: makes the protocol, given the address and port (``127.0.0.1:8000``).
            tls: how the certificate of an https receiver is verified.
            deadline: the latest end, in the loop's time.

        Raises:
            Unreachable: with the reason for each address that was tried.
            OutOfDescriptors: this process can open no connection.
        """
        context = self._context(tls) if target.scheme == "https" else None
        addresses = await self._addresses(target, deadline)
        loop = asyncio.get_running_loop()
        reasons = []
        for position, address in enumerate(addresses):
            share = max(deadline - loop.time(), 0) / (len(addresses) - position)
            try:
                check_address(address, self._rules, host=target.host)
                return await _open(address, target, protocol, context, share_seconds=share)
            except InvalidTarget as error:
                reasons.append(str(error))
            except Unreachable as error:
                reasons.append(error.reason)
        raise Unreachable("; ".join(dict.fromkeys(reasons)))

    async def _addresses(self, target: Target, deadline: float) -> Sequence[str]:
        host = target.host
        if host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost"):
            return _LOOPBACK
        if _is_address(host):
            return (host,)
        try:
            async with asyncio.timeout_at(deadline):
                addresses = await self._resolve(host, target.port)
        except TimeoutError as error:
            raise Unreachable(f"the name {host} was not resolved in time") from error
        except (OSError, UnicodeError) as error:
            _require_descriptor()
            raise Unreachable(f"the name {host} cannot be resolved: {_in_words(error)}") from error
        if not addresses:
            raise Unreachable(f"the name {host} has no address")
        return addresses

    def _context(self, tls: TlsSettings) -> ssl.SSLContext:
        if tls not in self._contexts:
            self._contexts[tls] = _make_context(tls)
        return self._contexts[tls]


def _make_context(tls: TlsSettings) -> ssl.SSLContext:
    # Without a descriptor, the system's authorities would be missing from the context for good.
    _require_descriptor()
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
    except OSError as error:  # includes SSLError
        raise Unreachable(
            f"the authorities in {tls.ca_file} cannot be read: {_in_words(error)}"
        ) from error
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


async def _open(
    address: str,
    target: Target,
    protocol: Callable[[str], ProtocolT],
    context: ssl.SSLContext | None,
    *,
    share_seconds: float,
) -> ProtocolT:
    place = f"[{address}]:{target.port}" if ":" in address else f"{address}:{target.port}"
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(share_seconds):
            sock = await _connected_socket(address, target.port)
            _, connection = await loop.create_connection(
                partial(protocol, place),
                sock=sock,
                ssl=context,
                server_hostname=target.host.rstrip(".") if context else None,
            )
    except TimeoutError as error:
        raise Unreachable(
            f"{place} did not take the connection within {share_seconds:.3g} s"
        ) from error
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in _OUT_OF_DESCRIPTORS:
            raise _out_of_descriptors() from error
        raise Unreachable(_why_not(error, place, target)) from error
    return connection


def _require_descriptor() -> None:
    """Check that this process can open a file, which libraries do and do not report.

    Raises:
        OutOfDescriptors: it can open none.
    """
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        raise _out_of_descriptors() from error


def _out_of_descriptors() -> OutOfDescriptors:
    return OutOfDescriptors(
        "This process can open no further connection.",
        hint="It has as many files and connections open as it may have: see ulimit -n.",
    )


async def _connected_socket(address: str, port: int) -> socket.socket:
    """Return a socket connected to exactly this address; close it if that fails."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        sock.settimeout(0)
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
        _refuse_self_connection(sock)
    except BaseException:
        sock.close()
        raise
    return sock


def _refuse_self_connection(sock: socket.socket) -> None:
    """Raise if the socket is connected to itself: nobody listens, and we got that very port."""
    if sock.getsockname() == sock.getpeername():
        raise ConnectionRefusedError


def _why_not(error: OSError | ValueError, place: str, target: Target) -> str:
    match error:
        case ConnectionRefusedError():
            return f"connection refused by {place}"
        case ssl.SSLCertVerificationError():
            return (
                f"the certificate of {target.authority} is not trusted: "
                f"{error.verify_message.rstrip('.')} "
                "(a CA file names an authority to trust, 'insecure' trusts anyone)"
            )
        case ssl.SSLError():
            return f"the TLS handshake with {place} failed: {_in_words(error)}"
        case ConnectionError() if target.scheme == "https":
            return f"{place} hung up during the TLS handshake"
        case _:
            return f"{place} cannot be reached: {_in_words(error)}"


def _in_words(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
