"""A client of the server's stream: it reads, counts the bytes, and does nothing else."""

import socket
import threading

from benchmarks.processes import options, say, wait_for_word

_PIECE = 1 << 16


def _listen(*, port: int, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request.encode())
        connection.recv(_PIECE)
        counted = [0]
        threading.Thread(target=_count, args=(connection, counted), daemon=True).start()
        say(ready=True)
        while wait_for_word():
            say(bytes=counted[0])


def _count(connection: socket.socket, counted: list[int]) -> None:
    while piece := connection.recv(_PIECE):
        counted[0] += len(piece)


if __name__ == "__main__":
    _listen(**options())
