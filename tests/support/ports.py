"""Ports for those who are told one before they listen at it."""

import secrets
import socket
from contextlib import suppress

#: Below those that systems give to whoever asks for any (Linux from 32768, macOS from 49152): one
#: of them may be somebody else's by the time that a process has started.
_PORTS = range(10_000, 32_000)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens at, and nobody is given by chance."""
    while True:
        # Not of the module ``random``, which Hypothesis sets to the same in every process.
        port = secrets.choice(_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
