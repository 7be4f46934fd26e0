"""Requests of every form that HTTP has, to the server as users run it: each has its answer."""

import json
import socket
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.command_line import next_line_with
from tests.support.server_process import RunningServer, run_server

PRODUCTS = "/api/v1/products"
MEBIBYTE = 2**20


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with run_server(tmp_path_factory.mktemp("served"), "--ephemeral", "--workers-off") as served:
        yield served


def send_raw(
    served: RunningServer, *lines: str, body: bytes = b""
) -> tuple[int, dict[str, str], bytes]:
    """Say the lines of a request, and then its body; return status, headers and body."""
    address = urlsplit(served.ready["url"])
    request = "\r\n".join((*lines, "Host: localhost", "Connection: close", "", "")).encode(
        "latin-1"
    )
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(request + body)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, content = answer.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    return int(first.split()[1]), headers, content


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in (*pieces, b""))


def test_an_old_client_is_answered(served: RunningServer) -> None:
    status, _, content = send_raw(served, f"GET {PRODUCTS} HTTP/1.0")
    assert (status, "items" in json.loads(content)) == (HTTPStatus.OK, True)


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/docs/docs.js", "/healthz", "/openapi.json", "/metrics", PRODUCTS]
)
def test_every_path_that_answers_get_answers_head_with_the_same_headers(
    served: RunningServer, path: str
) -> None:
    got, headers, content = send_raw(served, f"GET {path} HTTP/1.1")
    status, alone, nothing = send_raw(served, f"HEAD {path} HTTP/1.1")
    assert (status, alone.keys(), nothing) == (got, headers.keys(), b"")
    assert path == "/metrics" or int(alone["content-length"]) == len(content)


def test_the_endless_stream_refuses_head(served: RunningServer) -> None:
    status, headers, _ = send_raw(served, "HEAD /api/v1/stream HTTP/1.1")
    assert (status, headers["allow"]) == (HTTPStatus.METHOD_NOT_ALLOWED, "GET")


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PUT"])
def test_a_method_that_is_not_taken_is_told_which_are(served: RunningServer, method: str) -> None:
    status, headers, content = send_raw(served, f"{method} {PRODUCTS} HTTP/1.1")
    assert (status, headers["allow"]) == (HTTPStatus.METHOD_NOT_ALLOWED, "GET, HEAD, POST")
    assert json.loads(content)["code"] == "method_not_allowed"


def test_a_word_of_the_api_is_taken_for_no_name(served: RunningServer) -> None:
    status, headers, _ = send_raw(served, "GET /api/v1/deliveries/wait HTTP/1.1")
    assert (status, headers["allow"]) == (HTTPStatus.METHOD_NOT_ALLOWED, "POST")


def test_a_body_of_no_declared_length_is_read(served: RunningServer) -> None:
    body = chunked(b'{"name": ', b'"In pieces"}')
    status, _, content = send_raw(
        served, f"POST {PRODUCTS} HTTP/1.1", "Transfer-Encoding: chunked", body=body
    )
    assert (status, json.loads(content)["name"]) == (HTTPStatus.CREATED, "In pieces")


@pytest.mark.parametrize(
    "length", [f"Content-Length: {MEBIBYTE + 1}", "Transfer-Encoding: chunked"]
)
def test_a_body_beyond_a_mebibyte_is_refused_however_it_is_sent(
    served: RunningServer, length: str
) -> None:
    spaces = b" " * (MEBIBYTE + 1)
    body = chunked(spaces) if "chunked" in length else spaces
    status, _, content = send_raw(served, f"POST {PRODUCTS} HTTP/1.1", length, body=body)
    assert status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert json.loads(content)["code"] == "payload_too_large"


def test_a_client_that_expects_100_for_too_long_a_body_is_refused(served: RunningServer) -> None:
    lines = (f"Content-Length: {MEBIBYTE + 1}", "Expect: 100-continue")
    status, _, _ = send_raw(served, f"POST {PRODUCTS} HTTP/1.1", *lines)
    assert status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.parametrize(
    "line",
    [
        "GET",
        "GET /\x00 HTTP/1.1",
        "POST / HTTP/1.1\r\nContent-Length: x",
        "\x16\x03\x01",
        "BREW / HTTP/1.1",
    ],
)
def test_bytes_that_are_no_request_get_400(served: RunningServer, line: str) -> None:
    assert send_raw(served, line)[0] == HTTPStatus.BAD_REQUEST


def test_bytes_that_are_no_request_are_a_line_of_the_log_as_all_else(tmp_path: Path) -> None:
    with run_server(tmp_path, "--ephemeral", "--log-json") as served:
        send_raw(served, "GET")
        entry = json.loads(next_line_with("Invalid", served.process.stderr))
    assert (entry["level"], entry["message"]) == ("warning", "Invalid HTTP request received.")


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/json;charset=x"])
def test_a_body_is_json_whatever_it_is_called(served: RunningServer, kind: str) -> None:
    name: Any = {"name": f"Called {kind}"}
    answer = served.client.post(
        "/products", content=json.dumps(name), headers={"Content-Type": kind}
    )
    assert answer.status_code == HTTPStatus.CREATED


@pytest.mark.parametrize(
    "content", [b'\xef\xbb\xbf{"name": "B"}', b'{"name": "\xff"}', b'{"name": 1e999}']
)
def test_a_text_that_is_no_json_is_refused(served: RunningServer, content: bytes) -> None:
    answer = served.client.post("/products", content=content)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def test_large_headers_are_taken_or_refused_and_the_server_goes_on(served: RunningServer) -> None:
    lines = (f"GET {PRODUCTS} HTTP/1.1", f"X-Large: {'x' * 2**17}")
    assert send_raw(served, *lines)[0] == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    assert send_raw(served, lines[0], f"X-Large: {'x' * 2**14}")[0] == HTTPStatus.OK
    assert served.client.get("/products").status_code == HTTPStatus.OK
