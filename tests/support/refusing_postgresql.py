"""A server that speaks just enough of PostgreSQL's protocol to refuse every connection.

So the real driver words a refusal for which a real server would need a state of its own: full,
starting, with other rules of access.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SSL_REQUEST, _GSS_REQUEST = 80877103, 80877104
#: A server's request for a password in clear text.
ASKS_FOR_PASSWORD = b"R" + struct.pack("!ii", 8, 3)


def refusal(message: str) -> bytes:
    """Return a server's fatal error with this text."""
    fields = f"SFATAL\0VFATAL\0C28000\0M{message}\0\0".encode()
    return b"E" + struct.pack("!i", len(fields) + 4) + fields


@contextmanager
def refusing_postgresql(answer: bytes, *, has_tls: bool = False) -> Iterator[int]:
    """Refuse every connection to a free port, which is yielded.

    Args:
        answer: what follows the driver's first words.
        has_tls: say yes to TLS; its handshake then fails.
    """
    with socket.create_server(("127.0.0.1", 0)) as sock:
        threading.Thread(target=_refuse, args=(sock, answer, has_tls), daemon=True).start()
        yield sock.getsockname()[1]
        sock.shutdown(socket.SHUT_RDWR)


def _refuse(sock: socket.socket, answer: bytes, has_tls: bool) -> None:  # noqa: FBT001 - a thread's
    while True:
        try:
            connection, _ = sock.accept()
        except OSError:
            return
        with connection:
            while _code(connection) in {_SSL_REQUEST, _GSS_REQUEST}:
                connection.sendall(b"S" if has_tls else b"N")
            connection.sendall(answer)


def _code(connection: socket.socket) -> int:
    """Read the driver's next message; return its first number, or 0 if there is none."""
    message = connection.recv(4096)
    return int(struct.unpack_from("!i", message, 4)[0]) if len(message) >= 8 else 0
