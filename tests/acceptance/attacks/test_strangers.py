"""A server that others reach, without a token: whose pages may use it, and what its log shows."""

import signal
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tests.support.server_process import RunningServer, run_server

#: A line of the log that a stranger would like to write, and a command for the terminal.
FORGED = "\nwarning: All is well.\x1b[2J\r\x9b1mfield=1\u202e"


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    options = ("--host", "0.0.0.0", "--no-token", "--ephemeral", "--workers-off", "--verbose")
    with run_server(tmp_path_factory.mktemp("exposed"), *options) as served:
        yield served


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example:5326", "Origin": "http://evil.example:5326"}, 403),
        ({"Host": "leanbe-emitter"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "192.0.2.7:5326"}, 200),
        ({"Host": "[2001:db8::1]"}, 200),
        ({"Host": "localhost:5326"}, 200),
        ({"Host": "localhost:5326", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Host": "localhost:5326", "Sec-Fetch-Site": "none"}, 200),
        ({"Host": "localhost:5326", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "localhost:5326", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_a_page_that_gave_its_own_name_to_this_machine_gets_nothing(
    exposed: RunningServer, headers: dict[str, str], status: int
) -> None:
    assert exposed.client.get("/products", headers=headers).status_code == status


def test_a_link_on_another_page_may_lead_to_the_documentation(exposed: RunningServer) -> None:
    address = urlsplit(exposed.ready["url"])
    headers = {"Host": f"localhost:{address.port}", "Sec-Fetch-Site": "cross-site"}
    page = httpx.get(f"{exposed.ready['url']}/docs", headers=headers, trust_env=False)
    assert page.status_code == HTTPStatus.OK


def test_a_path_forges_no_line_of_the_log(exposed: RunningServer) -> None:
    asked = exposed.client.get(f"/{quote(FORGED)}")
    assert asked.status_code == HTTPStatus.NOT_FOUND
    _, stderr = exposed.end(signal.SIGTERM)
    lines = stderr.splitlines()
    assert not any(each.startswith("warning: All is well") for each in lines)
    assert any("warning: All is well" in each for each in lines)
    assert all(each.isprintable() for each in lines)
