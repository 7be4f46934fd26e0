"""The server as a process, for tests that act over HTTP."""

import json
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.command_line import PROGRAM, environment


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@dataclass(kw_only=True)
class Served:
    """A server's process, its line of readiness, and a client of its API."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        token = self.ready["token"]
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{self.ready['url']}/api/v1"
        self.client = httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False)

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; return the status and what stands on stderr."""
        self.process.send_signal(number)
        _, stderr = self.process.communicate(timeout=20)
        return self.process.returncode, stderr


@contextmanager
def serving(
    folder: Path, *arguments: str, environ: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """Run a server on a free port, until the block ends."""
    command = [*PROGRAM, "serve", "--port", "0", "--output", "json", *arguments]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment(environ),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        served = Served(process=process, ready=json.loads(line))
        try:
            yield served
        finally:
            served.client.close()
            process.kill()
            process.communicate()
