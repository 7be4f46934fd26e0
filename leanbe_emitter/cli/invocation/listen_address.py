"""The address of a server: how it is written, and the error when nothing can listen there."""

import errno
import os
import socket
from typing import ClassVar

from leanbe_emitter.errors import LeanbeError

#: The variable in which ``exec`` gives a command the URL of its server, and ``ready`` reads it.
URL_VARIABLE = "LEANBE_EMITTER_URL"

#: A client reaches a server that listens at all addresses at the loopback address.
_CLIENT_HOST = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_ANOTHER_PORT = "Choose another port with --port, or a free one with --port 0."


class PortTaken(LeanbeError):
    """Nothing can listen at an address: exit status 3."""

    code: ClassVar[str] = "port_taken"


def authority_of(host: str, port: int) -> str:
    """Return a host and a port as a URL has them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def url_of(host: str, port: int) -> str:
    """Return the URL at which clients reach a server that listens at a host and a port."""
    return f"http://{authority_of(_CLIENT_HOST.get(host, host), port)}"


def port_error(error: OSError, *, host: str, port: int) -> LeanbeError:
    """Return the error to raise when listening at an address failed."""
    if isinstance(error, socket.gaierror):
        return PortTaken(
            f"The name {host} cannot be resolved.",
            hint="Name an address of this machine with --host: 127.0.0.1.",
        )
    # EINVAL: the address is valid on one link only, and its network interface was not named.
    if error.errno in {errno.EADDRNOTAVAIL, errno.EINVAL}:
        return PortTaken(
            f"{host} is no address of this machine.", hint="Name one with --host: 127.0.0.1."
        )
    where = authority_of(host, port)
    if error.errno == errno.EADDRINUSE:
        return PortTaken(f"{where} is taken.", hint=_ANOTHER_PORT)
    # asyncio adds words of its own to the system's reason: this is the system's reason alone.
    why = os.strerror(error.errno or 0)
    return PortTaken(f"The program cannot listen at {where}: {why}.", hint=_ANOTHER_PORT)
