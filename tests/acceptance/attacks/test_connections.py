"""Connections of strangers: too many, without an end, or with too much; others are served on."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest

from leanbe_emitter import Leanbe, TriggerRequest
from tests.support.command_line import PROGRAM
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.server_process import RunningServer, run_server
from tests.support.server_under_attack import (
    answer_of,
    bounded_memory,
    connect,
    is_healthy,
    send_until_refused,
)
from tests.support.waiting import PATIENCE_SECONDS, wait_until

DESCRIPTORS = 1024
HALF_OPEN = 1100
EVENTS = 40
#: The program under a soft and a hard limit.
LIMITED = ("sh", "-c", f'ulimit -n {DESCRIPTORS} && exec "$@"', "sh", *PROGRAM)
MEBIBYTE = 1 << 20


@contextmanager
def many_descriptors() -> Iterator[None]:
    """Let this process, which plays the strangers, have many connections."""
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(usual[1], 4 * HALF_OPEN), usual[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, usual)


def half_open(served: RunningServer, stack: ExitStack) -> list[socket.socket]:
    connections = [stack.enter_context(connect(served)) for _ in range(HALF_OPEN)]
    for connection in connections:
        try:
            connection.send(b"G")
        except ConnectionError:
            continue  # the server has refused it by now
    return connections


def test_connections_that_send_one_byte_stop_no_delivery_and_no_answer_after_them(
    tmp_path: Path,
) -> None:
    db = f"sqlite:///{tmp_path}/test.db"
    with (
        LoopbackReceiver.listening() as receiver,
        run_server(tmp_path, "--db", db, program=LIMITED) as served,
        Leanbe(db) as leanbe,
        many_descriptors(),
    ):
        product = leanbe.products.create("Acme", webhook_url=receiver.url, secret="whsec_test")
        with bounded_memory(served.process), ExitStack() as strangers:
            connections = half_open(served, strangers)
            for _ in range(EVENTS):
                leanbe.trigger_all(TriggerRequest(events=["idea.created"]), deliver=False)
            leanbe.wait_until_idle(timeout_seconds=PATIENCE_SECONDS)
            # The last one came when there were as many as there may be.
            status, told = answer_of(connections[-1])
            assert (status, told["code"]) == (
                HTTPStatus.SERVICE_UNAVAILABLE,
                "too_many_connections",
            )
        wait_until(lambda: is_healthy(served), "the server answers again")
        attempts = [len(each.attempts) for each in leanbe.deliveries.list()]
        delivered = [each.delivered for each in leanbe.deliveries.list()]
        assert (attempts, delivered) == ([1] * EVENTS, [True] * EVENTS)
        assert len(receiver.requests) == EVENTS
        assert product.webhook.url == receiver.url
        served.process.terminate()
        _, stderr = served.process.communicate(timeout=PATIENCE_SECONDS)
    assert stderr.count("There are too many connections") == 1
    assert "Traceback" not in stderr
    assert len(stderr) < 2000


def test_a_head_without_an_end_is_refused_at_once(served: RunningServer) -> None:
    line = b"X-Filler: " + b"x" * 65000 + b"\r\n"
    with bounded_memory(served.process, mebibytes=150), connect(served) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        sent = send_until_refused(connection, line, times=1000)
        status, told = answer_of(connection)
    assert (status, told["code"]) == (431, "head_too_large")
    assert sent < 16 * MEBIBYTE  # what the system's own buffers hold
    assert is_healthy(served)


@pytest.mark.parametrize("has_length", [True, False], ids=["declared", "chunked"])
def test_a_body_of_40_mebibytes_is_answered(
    served: RunningServer,
    has_length: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    pieces = (b"x" * MEBIBYTE for _ in range(40))
    headers = {"Content-Length": str(40 * MEBIBYTE)} if has_length else {}
    with bounded_memory(served.process, mebibytes=150):
        answer = served.client.post("/products", content=pieces, headers=headers)
    assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert answer.json()["code"] == "payload_too_large"


def test_a_stranger_who_never_stops_sending_is_disconnected(served: RunningServer) -> None:
    with connect(served) as connection:
        connection.sendall(
            b"POST /api/v1/products HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: 1000000000000\r\n\r\n"
        )
        sent = send_until_refused(connection, b"x" * MEBIBYTE, times=1000)
        status, _ = answer_of(connection)
    assert status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert sent < 32 * MEBIBYTE
