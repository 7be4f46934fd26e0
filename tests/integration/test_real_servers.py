"""The network sender against the servers that receivers run on."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from leanbe_emitter.delivery.network.transport import Answer
from tests.support.event_loops import run_in_loop
from tests.support.network_sender import BODY, open_sender, post
from tests.support.receiver_servers import (
    LARGE,
    nginx_server,
    node_server,
    python_server,
    uvicorn_server,
)

Start = Callable[[], AbstractContextManager[str]]

ALL = [
    "uvicorn on h11",
    "uvicorn on httptools",
    "Python's http.server",
    pytest.param("Node's http", marks=pytest.mark.node),
    pytest.param("nginx", marks=pytest.mark.nginx),
]


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a running server of the kind that the test's parameter names."""
    starting: dict[str, Start] = {
        "uvicorn on h11": lambda: uvicorn_server("h11"),
        "uvicorn on httptools": lambda: uvicorn_server("httptools"),
        "Python's http.server": python_server,
        "Node's http": node_server,
        "nginx": lambda: nginx_server(tmp_path_factory.mktemp("nginx")),
    }
    with starting[request.param]() as url:
        yield url


on_every_server = pytest.mark.parametrize("server", ALL, indirect=True)


async def ask(*urls: str, body: bytes = BODY) -> list[Answer]:
    async with open_sender() as transport:
        return [await transport.send(post(url, body=body)) for url in urls]


@on_every_server
@run_in_loop
async def test_a_connection_is_kept(server: str) -> None:
    first, second, third = await ask(*[f"{server}/port"] * 3)
    assert first.status == 200
    assert first.body == second.body == third.body


@on_every_server
@run_in_loop
async def test_a_connection_that_is_to_be_closed_is_not_used_again(server: str) -> None:
    first, second = await ask(f"{server}/close", f"{server}/close")
    assert first.status == second.status == 200
    assert first.body != second.body


@on_every_server
@run_in_loop
async def test_a_connection_is_kept_after_chunks_204_304_and_a_large_answer(server: str) -> None:
    paths = ["/port", "/chunked", "/nothing", "/not-modified", "/large", "/port"]
    before, chunked, nothing, not_modified, large, after = await ask(
        *(server + path for path in paths)
    )
    assert (chunked.status, chunked.body) == (200, b"chunked")
    assert (chunked.header("Transfer-Encoding") or "").lower() == "chunked"
    assert (nothing.status, nothing.body_length) == (204, 0)
    assert (not_modified.status, not_modified.body_length) == (304, 0)
    assert (large.body_length, len(large.body)) == (LARGE, 65536)
    assert before.body == after.body


@on_every_server
@run_in_loop
async def test_an_answer_that_comes_before_the_body_is_out_counts(server: str) -> None:
    async with open_sender() as transport:
        answer = await transport.send(post(f"{server}/early", body=b"x" * 40_000_000))
        assert answer.status == 413
        again = await transport.send(post(f"{server}/port"))
        assert again.status == 200


@on_every_server
@run_in_loop
async def test_many_at_once(server: str) -> None:
    async with open_sender() as transport:
        for _ in range(3):
            answers = await asyncio.gather(
                *(transport.send(post(f"{server}/port")) for _ in range(32))
            )
            assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize("server", ALL[:-1], indirect=True)
@run_in_loop
async def test_a_body_arrives_as_it_is(server: str) -> None:
    body = bytes(range(256)) * 2000
    [answer] = await ask(f"{server}/echo", body=body)
    assert answer.body == body[:65536]
    assert answer.body_length == len(body)


@pytest.mark.parametrize("server", ALL[2:-1], indirect=True)
@run_in_loop
async def test_an_answer_without_a_length_ends_with_the_connection(server: str) -> None:
    first, second = await ask(f"{server}/no-length", f"{server}/no-length")
    assert first.body == second.body == b"until the end"
    assert first.header("Content-Length") is None
    assert first.header("Transfer-Encoding") is None


@pytest.mark.parametrize("server", ALL[3:-1], indirect=True)
@run_in_loop
async def test_nodes_1xx_are_passed_over(server: str) -> None:
    before, answer, after = await ask(f"{server}/port", f"{server}/early-hints", f"{server}/port")
    assert (answer.status, answer.body) == (200, b"after 1xx")
    assert before.body == after.body


@pytest.mark.node
@run_in_loop
async def test_node_hanging_up_on_an_idle_connection_costs_no_delivery() -> None:
    with node_server(keep_alive_ms=1) as url:
        async with open_sender() as transport:
            first = await transport.send(post(f"{url}/port"))
            [connection] = transport._open
            await connection.closed
            second = await transport.send(post(f"{url}/port"))
            assert first.body != second.body
