"""The server as users run it: a process on a port."""

import signal
import socket
import sys
from pathlib import Path

import httpx

from tests.command_line import run_process
from tests.serving import serving


def test_the_line_of_readiness_tells_how_to_reach_it(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        assert served.ready["db"] == "sqlite:///leanbe-emitter.db"
        assert served.ready["pid"] == served.process.pid
        assert served.ready["token"] is None
        assert served.client.get("/products").json() == {"items": [], "cursor": None}


def test_an_ephemeral_database_goes_with_its_server(tmp_path: Path) -> None:
    with serving(tmp_path, "--ephemeral") as served:
        file = Path(served.ready["db"].removeprefix("sqlite:///"))
        assert file.exists()
        served.end(signal.SIGTERM)
        assert not file.parent.exists()
    assert list(tmp_path.iterdir()) == []


def test_sigterm_ends_it_with_0_and_ctrl_c_with_130(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        assert served.end(signal.SIGTERM)[0] == 0
    with serving(tmp_path) as served:
        assert served.end(signal.SIGINT)[0] == 130


def test_a_port_that_is_taken_stops_the_start_before_a_database_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run_process("serve", "--port", str(port), cwd=tmp_path)
    assert (ran.status, list(tmp_path.iterdir())) == (3, [])
    assert f"127.0.0.1:{port} is taken" in ran.stderr


def test_beyond_this_machine_it_starts_with_a_token_only(tmp_path: Path) -> None:
    refused = run_process("serve", "--host", "0.0.0.0", "--port", "0", cwd=tmp_path)
    assert (refused.status, list(tmp_path.iterdir())) == (2, [])
    assert "LEANBE_EMITTER_TOKEN" in refused.stderr
    environ = {"LEANBE_EMITTER_TOKEN": "tok_test"}
    with serving(tmp_path, "--host", "0.0.0.0", environ=environ) as served:
        assert served.ready["token"] == "tok_test"
        assert served.client.get("/products").status_code == 200
        stranger = httpx.get(f"{served.ready['url']}/api/v1/products", trust_env=False)
        assert stranger.status_code == 401


def test_beyond_this_machine_only_private_networks_are_called(tmp_path: Path) -> None:
    public = {"name": "Acme", "webhook": {"url": "http://93.184.215.14/"}}
    with serving(tmp_path, "--host", "0.0.0.0", "--no-token") as served:
        assert served.client.post("/products", json=public).json()["code"] == "invalid_target"


def test_postgresql_is_migrated_where_that_is_wanted(tmp_path: Path, postgresql_url: str) -> None:
    refused = run_process("serve", "--port", "0", "--db", postgresql_url, cwd=tmp_path)
    assert refused.status == 3
    with serving(tmp_path, "--migrate", "--db", postgresql_url) as served:
        assert served.client.get("/products").status_code == 200


def test_help_loads_nothing_of_the_server(tmp_path: Path) -> None:
    program = (sys.executable, "-X", "importtime", "-m", "leanbe_emitter")
    ran = run_process("serve", "--help", cwd=tmp_path, program=program)
    assert ran.status == 0
    assert "fastapi" not in ran.stderr
    assert "sqlalchemy" not in ran.stderr
