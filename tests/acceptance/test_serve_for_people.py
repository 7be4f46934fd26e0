"""Services of ``serve`` for people: its page, the printed attempts, a receiver beside it."""

from pathlib import Path

import httpx

from tests.support.command_line import next_line, start_program
from tests.support.server_process import run_server
from tests.support.waiting import wait_until

SEED = """
products:
  - name: Globex
    webhook: {url: "http://127.0.0.1:9/hooks/leanbe", secret: whsec_test}
"""


def test_it_names_the_page_first_opens_it_and_prints_attempts(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}.new && mv {opened}.new {opened}\n')
    browser.chmod(0o700)
    options = ("--ephemeral", "--port", "0", "--open", "--receiver", "Globex")
    environ = {"BROWSER": f"{browser} %s"}
    with start_program("serve", *options, cwd=tmp_path, environ=environ) as process:
        url = next_line(process.stdout)
        told = next_line(process.stderr)
        while not told.startswith("Open "):  # the database is made before
            told = next_line(process.stderr)
        assert told == f"Open {url}/ in a browser; the API is described at {url}/docs"
        wait_until(opened.exists, "the page is opened")
        assert opened.read_text() == f"{url}/"
        made = httpx.post(
            f"{url}/api/v1/products/Globex/events", json={"event": "idea.created"}, trust_env=False
        )
        assert made.status_code == 201
        assert "idea.created" in next_line(process.stdout)
        assert "204 No Content" in next_line(process.stdout)


def test_a_receiver_beside_it_verifies_after_a_reset_too_and_ends_with_it(tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text(SEED)
    options = ("--ephemeral", "--seed-file", "seed.yaml", "--receiver", "Globex")
    with run_server(tmp_path, *options) as served:
        hook = served.client.get("/products/Globex").json()["webhook"]["url"]
        served.client.post("/reset")
        assert served.client.get("/products/Globex").json()["webhook"]["url"] == hook
        assert served.client.get("/products/Globex/webhook/secret").json() == {
            "secret": "whsec_test"
        }
        made = served.client.post("/products/Globex/events", json={"event": "idea.created"})
        path = f"/deliveries/{made.json()['delivery']['_id']}"
        wait_until(
            lambda: served.client.get(path).json()["status"] == "delivered", "it is delivered"
        )
        served.process.kill()
        # With JSON, the readiness line is all of the output.
        assert served.process.stdout is not None
        assert served.process.stdout.read() == ""
        wait_until(lambda: not _answers(hook), "the receiver has ended")


def _answers(url: str) -> bool:
    try:
        httpx.get(url, trust_env=False)
    except httpx.ConnectError:
        return False
    return True


def test_a_token_is_printed_on_a_terminal_only(tmp_path: Path) -> None:
    environ = {"LEANBE_EMITTER_TOKEN": "tok_test"}
    options = ("serve", "--ephemeral", "--port", "0")
    with start_program(*options, cwd=tmp_path, environ=environ) as process:
        next_line(process.stdout)
        process.kill()
        assert "tok_test" not in process.communicate()[1]
