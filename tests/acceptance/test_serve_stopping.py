"""A server that stops while work is in progress says so, and how to end it at once."""

import json
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.command_line import next_line_with, wait_for_end
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.server_process import RunningServer, run_server
from tests.support.waiting import PATIENCE_SECONDS

SENTENCE = (
    "Stopping as soon as the work in progress has ended; a second Ctrl-C or SIGTERM stops at once."
)
_PATIENTLY = f"""
from leanbe_emitter.__main__ import main
from leanbe_emitter.server import serving
serving.GRACE_SECONDS = {PATIENCE_SECONDS:.0f}
main()
"""
#: The command, whose server waits for a request as long as a test does: machines may be slow.
PATIENT = (sys.executable, "-W", "error", "-c", _PATIENTLY)
#: The beginning of a request whose body is still to come.
BEGUN = b"POST /api/v1/products HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15\r\n"


@pytest.fixture
def receiver() -> Iterator[LoopbackReceiver]:
    """A receiver that does not answer yet."""
    with LoopbackReceiver.listening() as receiver:
        receiver.is_open.clear()
        yield receiver


def has_begun(served: RunningServer, receiver: LoopbackReceiver) -> None:
    """Let a server make an attempt, which has no answer yet."""
    product = {"name": "Acme", "webhook": {"url": receiver.url}}
    assert served.client.post("/products", json=product).status_code == 201
    assert served.client.post("/products/Acme/webhook/test").status_code == 201
    assert receiver.busy.wait(PATIENCE_SECONDS)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_that_it_waits_for_attempts_while_it_does(
    tmp_path: Path, receiver: LoopbackReceiver, number: signal.Signals
) -> None:
    with run_server(tmp_path, "--ephemeral") as served:
        has_begun(served, receiver)
        served.process.send_signal(number)
        told = next_line_with("Stopping", served.process.stderr)
        receiver.is_open.set()
        assert wait_for_end(served.process)[0] == 0
    assert told.startswith(f"warning: {SENTENCE} ")
    assert "attempts=1" in told


def test_in_the_log_of_json_it_is_an_object_as_all_else(
    tmp_path: Path, receiver: LoopbackReceiver
) -> None:
    with run_server(tmp_path, "--ephemeral", "--log-json") as served:
        has_begun(served, receiver)
        served.process.send_signal(signal.SIGTERM)
        entry = json.loads(next_line_with("Stopping", served.process.stderr))
        receiver.is_open.set()
    assert (entry["level"], entry["message"], entry["attempts"]) == ("warning", SENTENCE, 1)


def test_a_second_signal_waits_for_nothing(tmp_path: Path, receiver: LoopbackReceiver) -> None:
    with run_server(tmp_path) as served:
        has_begun(served, receiver)
        served.process.send_signal(signal.SIGINT)
        assert next_line_with("Stopping", served.process.stderr)
        assert wait_for_end(served.process, signal.SIGINT)[0] == -signal.SIGINT


def test_it_says_that_it_waits_for_a_request(tmp_path: Path) -> None:
    with run_server(tmp_path, "--ephemeral", program=PATIENT) as served:
        address = urlsplit(served.ready["url"])
        assert address.hostname is not None
        assert address.port is not None
        with socket.create_connection((address.hostname, address.port)) as client:
            client.sendall(BEGUN + b"Expect: 100-continue\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 100")
            served.process.send_signal(signal.SIGTERM)
            told = next_line_with("Stopping", served.process.stderr)
            client.sendall(b'{"name":"Acme"}')
            assert client.recv(100).startswith(b"HTTP/1.1 201")
        assert wait_for_end(served.process)[0] == 0
    assert told == f"warning: {SENTENCE} requests=1"
