"""Probing by the command line and the API: ``explain --probe``, and ``{"probe": true}``."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from leanbe_emitter import sign_text, stringify
from tests.support.api_client import open_api
from tests.support.command_line import Cli

SECRET = "whsec_test"


class _Handler(BaseHTTPRequestHandler):
    """Two receivers: one hashes ``json.dumps(payload)``, and that of ``/right`` is right."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        write = stringify if self.path == "/right" else json.dumps
        computed = sign_text(write(body["payload"]), SECRET)
        self.send_response(204 if computed == body["signature"] else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of the receiver."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hooks"
        server.shutdown()


@pytest.fixture
def right_url(url: str) -> str:
    """The URL of a receiver that is right."""
    return url.replace("/hooks", "/right")


def test_the_receiver_at_a_url_is_asked_without_a_database(
    cli: Cli, url: str, tmp_path: Path
) -> None:
    asked = ("explain", "--secret", SECRET, "--probe", url)
    found = cli(*asked, "--lang", "php")
    assert (found.status, found.stderr) == (0, "")
    assert "  PHP         hash_hmac('sha256', substr($raw, 11" in found.stdout
    found = cli(*asked)
    assert (found.status, found.stderr) == (0, "")
    assert "You hash json.dumps(payload), which " in found.stdout
    assert "The receiver accepted 2 of them, and may have acted on these." in found.stdout
    assert "  Python      " in found.stdout
    unreachable = cli("explain", "--secret", SECRET, "--probe", "http://127.0.0.1:1/hooks")
    assert unreachable.status == 1
    assert "did not answer: " in unreachable.stdout
    assert "error: The receiver could not be asked." in unreachable.stderr
    assert [*tmp_path.iterdir()] == []


def test_options_that_a_probe_cannot_use_are_refused(cli: Cli, url: str, tmp_path: Path) -> None:
    (tmp_path / "body").write_text("{}")
    asked = ("explain", "--secret", SECRET)
    assert "Give either --body or --probe" in cli(*asked).stderr
    assert "Give either" in cli(*asked, "--probe", url, "--body", "@body").stderr
    assert "without --got and --hashed" in cli(*asked, "--probe", url, "--got", "00").stderr
    assert "need --probe" in cli(*asked, "--body", "@body", "--insecure").stderr
    assert cli(*asked, "--probe", "ftp://127.0.0.1/").status == 2


def test_the_receiver_of_a_delivery_is_asked(cli: Cli, url: str, tmp_path: Path) -> None:
    cli("product", "create", "Acme", "--webhook-url", url, "--secret", SECRET)
    cli("trigger", "idea.created")
    (delivery,) = json.loads(cli("deliveries", "list", "--output", "json").stdout)["items"]
    found = cli("deliveries", "explain", delivery["_id"], "--probe", "--output", "json")
    assert (found.status, found.stderr) == (0, "")
    told = json.loads(found.stdout)
    assert (told["verdict"], told["mistakes"][0]["name"]) == ("named", "python-dumps")
    assert len(told["probe"]["accepted"]) == 2
    assert told["probe"]["requests"] > 5
    with open_api(f"sqlite:///{tmp_path / 'leanbe-emitter.db'}") as api:
        path = f"/deliveries/{delivery['_id']}/explain"
        asked = api("POST", path, {"probe": True}).json()
        assert (asked["verdict"], asked["mistakes"][0]["what"]) == (
            "named",
            told["mistakes"][0]["what"],
        )
        assert asked["probe"]["requests"] == told["probe"]["requests"]
        assert api("POST", path).json()["probe"] is None
        assert api("POST", path, {"probe": True, "got": "00"}).status_code == 422
        assert len(api("GET", "/deliveries").json()["items"]) == 1


def test_a_receiver_that_is_right_is_no_failure(cli: Cli, right_url: str) -> None:
    found = cli("explain", "--secret", SECRET, "--probe", right_url)
    assert (found.status, found.stderr) == (0, "")
    assert "accepts the right signature, and refuses a wrong one" in found.stdout
