"""The receiver of ours, as a process: what it answers, prints and keeps, and how it ends."""

import http.client
import json
import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from leanbe_emitter.clock import stopwatch
from tests.support.command_line import run_process
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.ports import free_port
from tests.support.receiver_process import ReceiverProcess, run_receiver
from tests.support.waiting import PATIENCE_SECONDS

EXAMPLES = json.loads((Path(__file__).parents[1] / "data" / "examples.json").read_text("utf-8"))
EVENT = EXAMPLES["envelopes"][0]["event"]
BODY = json.dumps(EXAMPLES["envelopes"][0], ensure_ascii=False, separators=(",", ":")).encode()


def test_it_verifies_and_prints_a_line_a_request(tmp_path: Path) -> None:
    with run_receiver(tmp_path) as receiver:
        assert receiver.post(BODY) == (204, b"")
        assert receiver.post(BODY[:-3] + b'0"}') == (401, b'{"detail":"bad signature"}')
        assert receiver.post(b"", chunked=False)[0] == 401
        assert receiver.post(BODY, chunked=True) == (204, b"")
        columns = receiver.line().split("\t")
        assert columns[1:6] == [
            EVENT,
            EXAMPLES["envelopes"][0]["payload"]["_id"],
            "true",
            "204",
            str(len(BODY)),
        ]
        refused = receiver.line().split("\t")
        assert refused[3:5] == ["false", "401"]
        assert "does not fit" in refused[-2]


def test_a_person_sees_whether_it_verified(tmp_path: Path) -> None:
    with run_receiver(tmp_path, "--output", "table") as receiver:
        receiver.post(BODY)
        receiver.post(b"\x1b[2J")
        good, bad = receiver.line(), receiver.line()
    assert EVENT in good
    assert good.endswith("verified")
    assert "NOT VERIFIED: " in bad


def test_it_fails_on_demand(tmp_path: Path) -> None:
    with run_receiver(tmp_path, "--fail-first", "2", "--status", "202", "--output", "jsonl") as it:
        assert [it.post(BODY)[0] for _ in range(3)] == [503, 503, 202]
        assert [json.loads(it.line())["status"] for _ in range(3)] == [503, 503, 202]


def test_it_holds_answers_back(tmp_path: Path) -> None:
    with run_receiver(tmp_path, "--delay", "200") as receiver:
        began = stopwatch()
        receiver.post(BODY)
        assert stopwatch() - began > 0.2


def test_it_keeps_each_body_byte_for_byte_and_goes_on_counting(tmp_path: Path) -> None:
    odd = b'{"caf\xc3\xa9": \xff\r\n'
    with run_receiver(tmp_path, "--save", "kept") as receiver:
        receiver.post(BODY)
        receiver.post(odd)
    with run_receiver(tmp_path, "--save", "kept") as receiver:
        receiver.post(BODY)
        assert receiver.line().split("\t")[6] == str(Path("kept/0003.json"))
    kept = tmp_path / "kept"
    assert [(kept / f"000{n}.json").read_bytes() for n in (1, 2, 3)] == [BODY, odd, BODY]
    headers = (kept / "0001.headers").read_text().splitlines()
    assert headers[0] == "POST /hooks/leanbe"
    assert f"Content-Length: {len(BODY)}" in headers


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_stops_cleanly_with_a_connection_still_open(
    tmp_path: Path, number: signal.Signals
) -> None:
    with run_receiver(tmp_path) as receiver:
        receiver.post(BODY)
        ended, stderr = receiver.end(number)
    assert (ended, stderr) == (0, "")


def test_a_taken_port_is_3_and_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = run_process("receiver", "--secret", "s", "--port", port, cwd=tmp_path)
    assert (ran.status, ran.stdout) == (3, "")
    assert f"127.0.0.1:{port} is taken." in ran.stderr


def test_a_request_that_is_no_http_gets_400_and_stops_no_receiver(tmp_path: Path) -> None:
    with run_receiver(tmp_path) as receiver:
        host, port = urlsplit(receiver.url).netloc.split(":")
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(b"\x00\x01 nonsense\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
        assert receiver.post(BODY)[0] == 204


def test_a_disk_that_takes_nothing_ends_it_with_the_reason(tmp_path: Path) -> None:
    with run_receiver(tmp_path, "--save", "kept") as receiver:
        (tmp_path / "kept").rmdir()
        with pytest.raises(http.client.RemoteDisconnected):
            receiver.post(BODY)
        assert receiver.process.stderr is not None
        assert receiver.process.stderr.read().startswith("error: kept/0001.json: ")
        assert receiver.process.wait(PATIENCE_SECONDS) == 3


def hang(receiver: ReceiverProcess, target: LoopbackReceiver) -> None:
    """Send a request that the target gets and does not answer."""
    target.busy.clear()
    receiver.connection.request("POST", "/hooks/leanbe", BODY)
    assert target.busy.wait(PATIENCE_SECONDS)


def test_it_forwards_each_request_and_answers_with_the_answer(tmp_path: Path) -> None:
    with (
        LoopbackReceiver.listening() as target,
        run_receiver(tmp_path, "--forward-to", target.url, "--output", "jsonl") as receiver,
    ):
        target.statuses.extend([202, 418])
        assert receiver.post(BODY) == (202, b"")
        assert receiver.post(BODY[:-3] + b'0"}', chunked=True) == (418, b"")
        lines = [json.loads(receiver.line()) for _ in range(2)]
        assert [(each["status"], each["verified"]) for each in lines] == [(202, True), (418, False)]
        assert target.bodies == [BODY, BODY[:-3] + b'0"}']
        target.is_open.clear()
        hang(receiver, target)
        receiver.connection.close()
        given_up = json.loads(receiver.line())
        assert (given_up["status"], given_up["verified"]) == (None, True)
        assert "before the target answered" in given_up["forwardError"]
        hang(receiver, target)
        ended, stderr = receiver.end(signal.SIGINT)
        assert (ended, stderr) == (0, "")


def test_a_target_that_is_down_is_502_and_a_line(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    options = ("--forward-to", url, "--fail-first", "1", "--output", "table")
    with run_receiver(tmp_path, *options) as receiver:
        assert receiver.post(BODY)[0] == 503
        status, detail = receiver.post(BODY)
        assert (status, json.loads(detail)["detail"][:34]) == (
            502,
            "not forwarded: connection refused ",
        )
        assert "503 Service Unavailable" in receiver.line()
        assert "502 Bad Gateway" in receiver.line()
        assert receiver.line().strip().startswith("not forwarded: connection refused by")
        host, port = urlsplit(receiver.url).netloc.split(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS) as connection:
            connection.sendall(b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            with connection.makefile("rb") as answer:
                assert answer.read().endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--forward-to", "http://10.0.0.7/"), "give --allow-targets 10.0.0.7."),
        (("--allow-targets", "10.0.0.7"), "--allow-targets needs --forward-to."),
        (("--forward-to", "http://[::1]/", "--status", "204"), "answer has the status."),
    ],
)
def test_options_of_forwarding_that_do_not_fit_are_2(
    tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    ran = run_process("receiver", "--secret", "s", "--port", "0", *options, cwd=tmp_path)
    assert (ran.status, ran.stdout) == (2, "")
    assert told in ran.stderr
