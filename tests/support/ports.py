"""Free ports for programs that must know their port before they listen."""

import secrets
import socket
from contextlib import suppress

#: Below the ports that systems assign by themselves (Linux from 32768, macOS from 49152): another
#: program may get one of those before our process has started.
_PORTS = range(10_000, 32_000)


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens and which no system assigns."""
    while True:
        # Not the module ``random``: Hypothesis gives it the same seed in every process.
        port = secrets.choice(_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
