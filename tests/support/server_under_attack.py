"""A server under attack: what it may use, and raw connections to it."""

import json
import logging
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.support.server_process import RunningServer
from tests.support.waiting import wait_until

logger = logging.getLogger(__name__)

#: Most memory of a server, whatever strangers do, in MiB.
MOST_MEBIBYTES = 300

_KIBIBYTES = 1024
_RESET_PEAK = "5"


@contextmanager
def bounded_memory(
    process: subprocess.Popen[str], *, mebibytes: int = MOST_MEBIBYTES
) -> Iterator[None]:
    """Check that a process never has more memory during the block."""
    proc = Path(f"/proc/{process.pid}")
    (proc / "clear_refs").write_text(_RESET_PEAK)
    yield
    lines = (proc / "status").read_text().splitlines()
    line = next(each for each in lines if each.startswith("VmHWM:"))
    peak = int(line.split()[1]) / _KIBIBYTES
    logger.info("peak: %.0f MiB", peak)
    assert peak <= mebibytes, f"{peak:.0f} MiB"


def connect(served: RunningServer, *, receives: int | None = None) -> socket.socket:
    """Return a connection, which can keep only about ``receives`` bytes that nobody reads."""
    address = urlsplit(served.ready["url"])
    connection = socket.socket()
    if receives is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
    connection.settimeout(60)
    connection.connect((address.hostname, address.port))
    return connection


def send_until_refused(connection: socket.socket, piece: bytes, *, times: int) -> int:
    """Send a piece again and again until the server takes no more; return the bytes sent."""
    sent = 0
    with suppress(ConnectionError):
        for _ in range(times):
            sent += connection.send(piece)
    return sent


def answer_of(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """Return the status and the JSON of an answer, after which the server hangs up."""
    answer = b""
    with suppress(ConnectionError):
        while piece := connection.recv(65536):
            answer += piece
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(content)


def is_healthy(served: RunningServer, *, seconds: float = 5) -> bool:
    """Say whether the server answers within so many seconds."""
    url = f"{served.ready['url']}/healthz"
    with suppress(httpx.HTTPError):
        return httpx.get(url, timeout=seconds, trust_env=False).is_success
    return False


def wait_until_idle(process: subprocess.Popen[str]) -> None:
    """Wait until a process has used no processor for a while."""
    seen = [-1] * 10

    def is_idle() -> bool:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        seen.append(int(fields[11]) + int(fields[12]))
        return seen[-1] - seen.pop(0) <= 1

    wait_until(is_idle, "the server has nothing to do")
