"""The command for curl is run: what arrives is what an attempt sent."""

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from leanbe_emitter.delivery.network.request_code import curl
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


class Recorder:
    """Reads one request from a socket, whole."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self.head = b""
        self.body = b""

    def read_one(self) -> None:
        """Accept one connection, read one request, answer it."""
        connection, _ = self._server.accept()
        with connection:
            self.head, self.body = _head(connection)
            length = int(_header(self.head, b"content-length") or 0)
            while len(self.body) < length:
                self.body += connection.recv(1 << 16)
            connection.sendall(ANSWER)


def _head(connection: socket.socket) -> tuple[bytes, bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(1 << 16)
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body


def _header(head: bytes, name: bytes) -> bytes:
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return next((value.strip() for key, _, value in lines if key.lower() == name), b"")


@contextmanager
def recording_server() -> Iterator[tuple[Recorder, int]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_SECONDS)
        recorder = Recorder(server)
        thread = threading.Thread(target=recorder.read_one)
        thread.start()
        yield recorder, server.getsockname()[1]
        thread.join(PATIENCE_SECONDS)


BODIES = [
    '{"payload":{"title":"It\'s \\"dark\\" naïve 👩‍🚀 $HOME `id` \\\\ %s !"}}',
    json.dumps({"payload": {"text": "x" * 300_000}}),
    '{\n  "payload": {}\n}',
]


@pytest.mark.parametrize("body", BODIES, ids=["odd characters", "long", "indented"])
def test_curl_sends_the_bytes_that_were_sent(body: str) -> None:
    headers = [
        ("Host", "elsewhere"),
        ("Content-Type", "application/json"),
        ("User-Agent", "leanbe-emitter/1"),
        ("X-Quoted", "it's $HOME"),
        ("X-Empty", ""),
        ("Content-Length", "1"),
    ]
    with recording_server() as (recorder, port):
        command = curl(
            method="PUT", url=f"http://127.0.0.1:{port}/a/../b?[c]=1", headers=headers, body=body
        )
        # As a script: an argument could not hold the long body.
        subprocess.run(["sh"], input=command, text=True, check=True, timeout=60)
    assert recorder.body == body.encode()
    request_line, *lines = recorder.head.split(b"\r\n")
    assert request_line == b"PUT /a/../b?[c]=1 HTTP/1.1"
    assert sorted(lines) == sorted(
        [
            f"Host: 127.0.0.1:{port}".encode(),
            b"Content-Type: application/json",
            b"User-Agent: leanbe-emitter/1",
            b"X-Quoted: it's $HOME",
            b"X-Empty:",
            f"Content-Length: {len(body.encode())}".encode(),
        ]
    )


def test_the_webhooks_own_authority_is_trusted() -> None:
    given = curl(
        method="POST", url="https://127.0.0.1/", headers=(), body="{}", ca_file="my ca.pem"
    )
    assert "--cacert 'my ca.pem'" in given
    assert "--insecure" not in given
