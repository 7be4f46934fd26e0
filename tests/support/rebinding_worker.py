"""A worker in a world where a name resolves to another address at its second lookup.

``python -m tests.support.rebinding_worker DB`` delivers all due deliveries, and prints each address
to which any code connects, one a line. The first lookup of the name returns 127.0.0.1, and later
lookups return a metadata address.
"""

import ipaddress
import socket
import sys
from typing import Any

from leanbe_emitter import Leanbe

#: The name that changes.
NAME = "rebinding.test"
METADATA = "169.254.169.254"


def rebind() -> None:
    """Make the system's resolver answer like this."""
    ask_the_system = socket.getaddrinfo
    first = ["127.0.0.1"]

    def ask(host: Any, *arguments: Any, **how: Any) -> Any:
        if host == NAME:
            host = first.pop() if first else METADATA
        return ask_the_system(host, *arguments, **how)

    socket.getaddrinfo = ask


def watch_connections(event: str, arguments: tuple[Any, ...]) -> None:
    """Print the address of each new connection, and forbid addresses of other machines."""
    if event == "socket.connect":
        address = arguments[1][0]
        print(address, flush=True)  # noqa: T201 - the test reads it
        if not ipaddress.ip_address(address).is_loopback:
            raise OSError("a test must not connect to other machines")


if __name__ == "__main__":
    (db,) = sys.argv[1:]
    rebind()
    sys.addaudithook(watch_connections)
    with Leanbe(db) as leanbe:
        leanbe.work(drain=True)
