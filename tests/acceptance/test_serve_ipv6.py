"""The server at addresses of IPv6: what it says of itself, and who is let in."""

import socket
from pathlib import Path

import httpx
import pytest

from tests.support.command_line import run_process
from tests.support.server_process import run_server


def has_ipv6_loopback() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


pytestmark = pytest.mark.skipif(not has_ipv6_loopback(), reason="this machine has no ::1")


def test_on_the_loopback_it_is_asked_for_at_its_address_and_ready_finds_it_by_the_settings(
    tmp_path: Path,
) -> None:
    with run_server(tmp_path, "--host", "::1") as served:
        url = served.ready["url"]
        assert url.startswith("http://[::1]:")
        assert served.client.get("/products").status_code == 200
        stranger = served.client.get("/products", headers={"Host": "[2001:db8::1]:80"})
        assert stranger.status_code == 403
        port = url.rpartition(":")[2]
        environ = {"LEANBE_EMITTER_HOST": "::1", "LEANBE_EMITTER_PORT": port}
        ran = run_process("ready", cwd=tmp_path, environ=environ)
        assert (ran.status, ran.stdout) == (0, f"{url}\n"), ran.stderr


def test_at_all_addresses_it_takes_a_token(tmp_path: Path) -> None:
    refused = run_process("serve", "--host", "::", "--port", "0", cwd=tmp_path)
    assert (refused.status, list(tmp_path.iterdir())) == (2, [])
    assert "a server at ::" in refused.stderr
    environ = {"LEANBE_EMITTER_TOKEN": "tok_test"}
    with run_server(tmp_path, "--host", "::", environ=environ) as served:
        assert served.ready["url"].startswith("http://[::1]:")
        assert served.client.get("/products").status_code == 200
        url = f"{served.ready['url']}/api/v1/products"
        assert httpx.get(url, trust_env=False).status_code == 401


def test_a_port_that_is_taken_is_named_as_in_a_url(tmp_path: Path) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        ran = run_process("serve", "--host", "::1", "--port", str(port), cwd=tmp_path)
    assert ran.status == 3
    assert f"[::1]:{port} is taken" in ran.stderr


def test_an_address_of_one_link_is_none_without_its_interface(tmp_path: Path) -> None:
    somewhere = ("--host", "fe80::1", "--no-token", "--port", "0")
    ran = run_process("serve", *somewhere, cwd=tmp_path)
    assert ran.status == 3
    assert "fe80::1 is no address of this machine." in ran.stderr
