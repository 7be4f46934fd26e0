"""A user's own httpx transport, behind our seam."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine

import httpx
import pytest

from leanbe_emitter.delivery.network.httpx_transport import HttpxTransport
from leanbe_emitter.delivery.network.transport import (
    DEFAULT_LIMITS,
    Answer,
    AnswerLimits,
    Unknown,
    Unreachable,
)
from leanbe_emitter.target_rules import TargetRules
from tests.support.event_loops import run_in_loop, run_in_virtual_time, takes_virtual_seconds
from tests.support.network_sender import BODY, post
from tests.support.scripted_server import OK, Peer, run_script

URL = "http://a.test/hook"
#: Of a loop in its own time.
SOON = 0.2


def adapter(
    handler: Callable[[httpx.Request], Coroutine[None, None, httpx.Response]],
    limits: AnswerLimits = DEFAULT_LIMITS,
) -> HttpxTransport:
    return HttpxTransport(httpx.MockTransport(handler), rules=TargetRules(), limits=limits)


def transport_that_raises(error: Exception) -> HttpxTransport:
    async def handler(request: httpx.Request) -> httpx.Response:
        del request
        raise error

    return adapter(handler)


class Pieces(httpx.AsyncByteStream):
    """A body in pieces; an exception among them is raised in its place."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.is_closed = False
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def aclose(self) -> None:
        self.is_closed = True


@run_in_loop
async def test_the_request_goes_out_as_it_is_and_the_answer_comes_back() -> None:
    async def handler(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, str(request.url), await request.aread()))
        seen.append(tuple(request.headers.raw))
        return httpx.Response(201, headers=[("X-A", "1"), ("X-A", "2")], content=b"hello")

    seen: list[object] = []
    request = post(URL, extra=(("X-Token", "t"),))
    answer = await adapter(handler).send(request)
    assert seen[0] == ("POST", URL, BODY)
    assert seen[1] == tuple((n.encode(), v.encode()) for n, v in request.headers)
    assert answer == Answer(
        status=201,
        reason="Created",
        headers=(("X-A", "1"), ("X-A", "2"), ("Content-Length", "5")),
        body=b"hello",
        body_length=5,
    )


@run_in_loop
async def test_an_answer_is_kept_up_to_the_caps_and_its_stream_closed() -> None:
    async def handler(request: httpx.Request) -> httpx.Response:
        del request
        return httpx.Response(200, headers=[("A", "1"), ("B", "2")], stream=stream)

    stream = Pieces(b"abc", b"def", b"ghi")
    answer = await adapter(handler, AnswerLimits(answer_bytes=4, header_bytes=3)).send(post(URL))
    assert (answer.body, answer.body_length, answer.headers) == (b"abcd", 9, (("A", "1"),))
    assert stream.is_closed


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("refused"),
        httpx.PoolTimeout("refused"),
        httpx.ProxyError("refused"),
        httpx.UnsupportedProtocol("refused"),
    ],
)
@run_in_loop
async def test_an_error_before_the_request_is_unreachable(error: Exception) -> None:
    with pytest.raises(Unreachable, match="refused"):
        await transport_that_raises(error).send(post(URL))


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadError("broken"),
        httpx.WriteError("broken"),
        httpx.RemoteProtocolError("broken"),
        httpx.ReadTimeout("broken"),
        ValueError("broken"),
        AssertionError("broken"),
        ConnectionResetError("broken"),
    ],
)
@run_in_loop
async def test_any_other_error_of_the_transport_is_unknown(error: Exception) -> None:
    with pytest.raises(Unknown, match=r"broken|no complete answer within 60 s"):
        await transport_that_raises(error).send(post(URL))


@run_in_loop
async def test_an_answer_that_breaks_off_is_unknown_and_what_came_is_kept() -> None:
    async def handler(request: httpx.Request) -> httpx.Response:
        del request
        return httpx.Response(200, stream=stream)

    stream = Pieces(b"abc", httpx.ReadError("broken"))
    with pytest.raises(Unknown, match="broken") as caught:
        await adapter(handler).send(post(URL))
    assert caught.value.answer == Answer(status=200, reason="OK", body=b"abc", body_length=3)
    assert stream.is_closed


@run_in_loop
async def test_an_endless_answer_is_cut_off_after_16_mebibytes() -> None:
    async def handler(request: httpx.Request) -> httpx.Response:
        del request
        return httpx.Response(200, stream=stream)

    stream = Pieces(*[b"x" * (1 << 20)] * 17)
    with pytest.raises(Unknown, match="the answer has more than 16 MiB"):
        await adapter(handler).send(post(URL))
    assert stream.is_closed


@run_in_virtual_time
async def test_a_transport_that_ignores_timeouts_is_cut_off_at_the_deadline() -> None:
    async def handler(request: httpx.Request) -> httpx.Response:
        assert request.extensions["timeout"]["connect"] == SOON
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    with (
        takes_virtual_seconds(SOON),
        pytest.raises(Unknown, match=r"no complete answer within 0\.2 s"),
    ):
        await adapter(handler).send(post(URL, timeout_seconds=SOON))


@run_in_virtual_time
async def test_a_trickling_answer_is_cut_off_and_what_came_is_kept() -> None:
    class Endless(Pieces):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b"x"
                await asyncio.sleep(0)

    async def handler(request: httpx.Request) -> httpx.Response:
        del request
        return httpx.Response(200, stream=Endless())

    with takes_virtual_seconds(SOON), pytest.raises(Unknown) as caught:
        await adapter(handler, AnswerLimits(answer_bytes=3)).send(post(URL, timeout_seconds=SOON))
    assert caught.value.answer is not None
    assert caught.value.answer.body == b"xxx"


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "http://u:p@a.test/", "ftp://a.test"])
@run_in_loop
async def test_a_url_that_the_rules_refuse_is_unreachable(url: str) -> None:
    request = post(URL)
    object.__setattr__(request, "url", url)
    with pytest.raises(Unreachable):
        await transport_that_raises(AssertionError("it was sent")).send(request)


@run_in_loop
async def test_httpxs_own_network_transport_works_behind_the_seam() -> None:
    async with run_script(Peer.serve) as server:
        transport = HttpxTransport(httpx.AsyncHTTPTransport(), rules=TargetRules())
        for _ in range(2):
            assert (await transport.send(post(server.url()))).body == OK[-2:]
        assert server.connections == 1
        await transport.aclose()
