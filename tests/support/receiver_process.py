"""The command ``receiver`` as a process, for tests that send to it."""

import http.client
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.command_line import Cli, next_line, start_program, wait_for_end

#: Secret of the receiver, unless a test sets another one.
SECRET = "whsec_test"


class ReceiverProcess:
    """A receiver's process, with one open connection to it."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)

    def post(self, body: bytes, *, chunked: bool = False) -> tuple[int, bytes]:
        """Send one body over the open connection; return status and answer."""
        parts = [body[:10], body[10:]] if chunked else body
        self.connection.request("POST", "/hooks/leanbe", parts, encode_chunked=chunked)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def line(self) -> str:
        """Return the next line that the receiver prints."""
        return next_line(self.process.stdout)

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; return the exit status and stderr."""
        status, _, stderr = wait_for_end(self.process, number)
        return status, stderr


@contextmanager
def run_receiver(folder: Path, *arguments: str) -> Iterator[ReceiverProcess]:
    """Run a receiver on a free port until the block ends."""
    command = ("receiver", "--secret", SECRET, "--port", "0", *arguments)
    with start_program(*command, cwd=folder) as process:
        first = next_line(process.stdout)
        running = ReceiverProcess(
            process, json.loads(first)["url"] if first.startswith("{") else first
        )
        with closing(running.connection):
            yield running


@contextmanager
def acme_with_receiver(cli: Cli, folder: Path, *arguments: str) -> Iterator[ReceiverProcess]:
    """Create the product Acme with a webhook to a receiver that saves its requests."""
    with run_receiver(folder, "--save", "kept", *arguments) as receiver:
        url = f"{receiver.url}hooks/leanbe"
        created = cli("product", "create", "Acme", "--webhook-url", url, "--secret", SECRET)
        assert created.status == 0, created.stderr
        yield receiver


def saved_bodies(folder: Path) -> list[bytes]:
    """Return the saved bodies, in order."""
    return [path.read_bytes() for path in sorted((folder / "kept").glob("*.json"))]
