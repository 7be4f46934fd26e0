"""The server as users run it: a process on a port."""

import re
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.support.command_line import (
    PROGRAM,
    handles_signal,
    next_line,
    run_process,
    start_program,
)
from tests.support.receiver_process import SECRET, run_receiver, saved_bodies
from tests.support.server_process import run_server
from tests.support.waiting import wait_until


def test_the_line_of_readiness_tells_how_to_reach_it(tmp_path: Path) -> None:
    with run_server(tmp_path) as served:
        assert served.ready["db"] == "sqlite:///leanbe-emitter.db"
        assert served.ready["pid"] == served.process.pid
        assert served.ready["token"] is None
        assert served.client.get("/products").json() == {"items": [], "cursor": None}


def test_the_next_server_deletes_the_folder_that_a_killed_one_left(tmp_path: Path) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    environ = {"TMPDIR": str(place)}
    with run_server(tmp_path, "--ephemeral", environ=environ) as lasting:
        with run_server(tmp_path, "--ephemeral", environ=environ) as killed:
            killed.end(signal.SIGKILL)
        assert len(list(place.iterdir())) == 2
        with run_server(tmp_path, "--ephemeral", environ=environ) as next_one:
            left = {f"sqlite:///{each}/leanbe-emitter.db" for each in place.iterdir()}
            assert left == {lasting.ready["db"], next_one.ready["db"]}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_is_a_success_says_nothing_and_takes_an_ephemeral_database_with_it(
    tmp_path: Path, number: signal.Signals
) -> None:
    with run_server(tmp_path, "--ephemeral", "--quiet", "--log-json") as served:
        file = Path(served.ready["db"].removeprefix("sqlite:///"))
        assert file.exists()
        assert served.end(number) == (0, "")
        assert not file.parent.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_to_outlive_its_terminal_does_not_end_with_it(tmp_path: Path) -> None:
    program = ("nohup", *PROGRAM)
    with start_program(
        "serve", "--ephemeral", "--port", "0", cwd=tmp_path, program=program
    ) as process:
        assert next_line(process.stdout).startswith("http://")
        assert handles_signal(process, signal.SIGTERM)
        assert not handles_signal(process, signal.SIGHUP)


def test_a_port_that_is_taken_stops_the_start_before_a_database_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run_process("serve", "--port", str(port), cwd=tmp_path)
    assert (ran.status, list(tmp_path.iterdir())) == (3, [])
    assert f"127.0.0.1:{port} is taken" in ran.stderr


def test_an_address_of_another_machine_is_called_so(tmp_path: Path) -> None:
    somewhere = ("--host", "192.0.2.1", "--no-token", "--port", "0")
    ran = run_process("serve", *somewhere, cwd=tmp_path)
    assert (ran.status, list(tmp_path.iterdir())) == (3, [])
    assert "192.0.2.1 is no address of this machine" in ran.stderr
    assert "--host" in ran.stderr


def test_a_name_that_cannot_be_resolved_is_called_so(tmp_path: Path) -> None:
    # That of an interface which is not there: the machine's resolver is not asked for an address.
    somewhere = ("--host", "fe80::1%nowhere", "--no-token", "--port", "0")
    ran = run_process("serve", *somewhere, cwd=tmp_path)
    assert (ran.status, list(tmp_path.iterdir())) == (3, [])
    assert ran.stderr.splitlines() == [
        "error: The name fe80::1%nowhere cannot be resolved.",
        "       Name an address of this machine with --host: 127.0.0.1.",
    ]


def test_beyond_this_machine_it_starts_with_a_token_only(tmp_path: Path) -> None:
    refused = run_process("serve", "--host", "0.0.0.0", "--port", "0", cwd=tmp_path)
    assert (refused.status, list(tmp_path.iterdir())) == (2, [])
    assert "LEANBE_EMITTER_TOKEN" in refused.stderr
    environ = {"LEANBE_EMITTER_TOKEN": "tok_test"}
    with run_server(tmp_path, "--host", "0.0.0.0", environ=environ) as served:
        assert served.ready["token"] == "tok_test"
        assert served.client.get("/products").status_code == 200
        stranger = httpx.get(f"{served.ready['url']}/api/v1/products", trust_env=False)
        assert stranger.status_code == 401


def test_beyond_this_machine_only_private_networks_are_called(tmp_path: Path) -> None:
    public = {"name": "Acme", "webhook": {"url": "http://93.184.215.14/"}}
    with run_server(tmp_path, "--host", "0.0.0.0", "--no-token") as served:
        assert served.client.post("/products", json=public).json()["code"] == "invalid_target"


def test_allowed_targets_are_added_to_what_may_be_called_and_limit_nothing(tmp_path: Path) -> None:
    allowed = ("--allow-targets", "93.184.215.0/24", "--workers-off")
    told = "--allow-targets adds to these, and limits nothing."
    with run_server(tmp_path, *allowed) as served:
        assert told in served.end(signal.SIGTERM)[1]
    with run_server(tmp_path, "--host", "0.0.0.0", "--no-token", *allowed) as served:
        for name, host in {"Added": "93.184.215.14", "Ours": "10.0.0.7"}.items():
            product = {"name": name, "webhook": {"url": f"http://{host}/"}}
            assert served.client.post("/products", json=product).status_code == 201
        assert told not in served.end(signal.SIGTERM)[1]


def test_a_file_that_it_cannot_write_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "test.db"
    assert run_process("product", "list", "--db", f"sqlite:///{file}", cwd=tmp_path).status == 0
    # Root may write everything; SQLite opens this one read-only in any case.
    db = f"sqlite:///file:{file}?mode=ro&uri=true"
    refused = run_process("serve", "--port", "0", "--db", db, cwd=tmp_path)
    assert (refused.status, refused.stdout) == (3, "")
    assert "readonly" in refused.stderr


@pytest.mark.parametrize("option", ["--host", "--allowed-host"])
@pytest.mark.parametrize("host", ["", "*", "http://127.0.0.1", "localhost:5326"])
def test_a_text_that_is_no_host_stops_the_start(option: str, host: str, tmp_path: Path) -> None:
    ran = run_process("serve", option, host, "--port", "0", cwd=tmp_path)
    assert (ran.status, list(tmp_path.iterdir())) == (2, [])
    assert f"Invalid value for '{option}': {host!r} is no host." in ran.stderr


def test_postgresql_is_migrated_where_that_is_wanted(tmp_path: Path, postgresql_url: str) -> None:
    refused = run_process("serve", "--port", "0", "--db", postgresql_url, cwd=tmp_path)
    assert refused.status == 3
    with run_server(tmp_path, "--migrate", "--db", postgresql_url) as served:
        assert served.client.get("/products").status_code == 200


def test_help_loads_nothing_of_the_server(tmp_path: Path) -> None:
    program = (sys.executable, "-X", "importtime", "-m", "leanbe_emitter")
    ran = run_process("serve", "--help", cwd=tmp_path, program=program)
    assert ran.status == 0
    assert "starlette" not in ran.stderr
    assert "sqlalchemy" not in ran.stderr


def test_the_worker_inside_delivers_events_of_actions_over_http(tmp_path: Path) -> None:
    with (
        run_receiver(tmp_path, "--save", "kept") as receiver,
        run_server(tmp_path, "--ephemeral") as served,
    ):
        webhook = {"url": f"{receiver.url}hooks", "secret": SECRET}
        served.client.post("/products", json={"name": "Acme", "webhook": webhook})
        made = served.client.post("/products/Acme/ideas", json={"title": "Dark mode"})
        cursor = made.headers["Leanbe-Emitter-Cursor"]
        waited = served.client.post("/deliveries/wait", json={"after": cursor, "timeout": 60})
        assert waited.status_code == 200, waited.text
        assert waited.json()["items"][0]["status"] == "delivered"
        assert f'{{"payload":{made.text},'.encode() in saved_bodies(tmp_path)[0]


def test_with_workers_off_another_process_delivers_and_whoever_waits_is_told(
    tmp_path: Path,
) -> None:
    with run_receiver(tmp_path) as receiver, run_server(tmp_path, "--workers-off") as served:
        webhook = {"url": f"{receiver.url}hooks", "secret": SECRET}
        served.client.post("/products", json={"name": "Acme", "webhook": webhook})
        served.client.post("/products/Acme/ideas", json={"title": "Dark mode"})
        ready = httpx.get(f"{served.ready['url']}/readyz", trust_env=False).json()
        assert (ready["worker"], ready["due"]) == ("off", 1)
        with ThreadPoolExecutor(1) as thread:
            wait = {"status": "delivered", "timeout": 60}
            waiting = thread.submit(served.client.post, "/deliveries/wait", json=wait)
            assert run_process("worker", "--drain", cwd=tmp_path).status == 0
            assert waiting.result().status_code == 200


def test_a_stop_lets_go_of_whoever_waits(tmp_path: Path) -> None:
    with run_server(tmp_path) as served, ThreadPoolExecutor(1) as thread:
        wait = {"count": 1, "timeout": 3600}
        waiting = thread.submit(served.client.post, "/deliveries/wait", json=wait)
        ready = f"{served.ready['url']}/readyz"
        wait_until(lambda: httpx.get(ready, trust_env=False).status_code == 200, "it is ready")
        status, _ = served.end(signal.SIGTERM)
        assert status == 0
        with suppress(httpx.TransportError):  # it may not have been heard yet
            assert waiting.result().status_code == 503


def test_at_the_start_it_says_what_is_due_and_discards_what_is_too_old(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/hooks"
    run_process("product", "create", "Acme", "--webhook-url", url, cwd=tmp_path)
    run_process("trigger", "idea.created", "--no-deliver", cwd=tmp_path)
    with run_server(tmp_path, "--workers-off") as served:
        assert "1 due, the oldest for" in served.end(signal.SIGTERM)[1]
    with run_server(tmp_path, "--workers-off", "--discard-older-than", "0s") as served:
        told = served.end(signal.SIGTERM)[1]
        assert "Discarded 1." in told
        assert "Nothing is due." in told


def test_the_server_prunes_old_records_from_its_start(tmp_path: Path) -> None:
    run_process("product", "create", "Acme", cwd=tmp_path)
    run_process("trigger", "idea.created", cwd=tmp_path)
    with run_server(tmp_path) as served:
        assert len(served.client.get("/events").json()["items"]) == 1
    with run_server(tmp_path, "--keep", "0s") as served:
        wait_until(lambda: served.client.get("/events").json()["items"] == [], "it is deleted")


def test_behind_a_proxy_it_is_asked_for_by_the_proxys_name(tmp_path: Path) -> None:
    options = ("--ephemeral", "--allowed-host", "Leanbe.example", "--root-path", "/leanbe/")
    environ = {"LEANBE_EMITTER_TOKEN": "tok_test"}
    with run_server(tmp_path, *options, environ=environ) as served:
        for host, status in {"leanbe.example": 200, "other.example": 403}.items():
            answer = served.client.get("/products", headers={"Host": host})
            assert answer.status_code == status
        url = served.ready["url"]
        assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
        # All that the page names is relative to its own address, whatever the proxy's path is.
        page = httpx.get(f"{url}/", trust_env=False).text
        assert not re.search(r'(?:href|src)="/', page)
        document = served.client.get(f"{url}/openapi.json").json()
        assert [each["url"] for each in document["servers"]] == ["/leanbe"]
