"""A worker in a world where a name leads elsewhere the next time that somebody asks for it.

``python -m tests.support.rebinding_worker DB`` delivers what is due, and prints every address that
was connected
to, by whatever code, a line each. Asked for the first time, the name leads to 127.0.0.1, and from
then on to a metadata address.
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
    """Let the system's resolver answer so."""
    ask_the_system = socket.getaddrinfo
    first = ["127.0.0.1"]

    def ask(host: Any, *arguments: Any, **how: Any) -> Any:
        if host == NAME:
            host = first.pop() if first else METADATA
        return ask_the_system(host, *arguments, **how)

    socket.getaddrinfo = ask


def tell_of_connections(event: str, arguments: tuple[Any, ...]) -> None:
    """Print whom a socket is about to connect to; let none through that is not on this machine."""
    if event == "socket.connect":
        address = arguments[1][0]
        print(address, flush=True)  # noqa: T201 - it is for the test that reads it
        if not ipaddress.ip_address(address).is_loopback:
            raise OSError("this world ends at the machine's edge")


if __name__ == "__main__":
    (db,) = sys.argv[1:]
    rebind()
    sys.addaudithook(tell_of_connections)
    with Leanbe(db) as leanbe:
        leanbe.work(drain=True)
