"""Addresses that the network sender connects to or refuses: names, families, TLS."""

import asyncio
import gc
import socket
import ssl
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from leanbe_emitter.delivery.network.connector import _refuse_self_connection
from leanbe_emitter.delivery.network.http1 import Http1Transport
from leanbe_emitter.delivery.network.transport import (
    OutgoingRequest,
    TlsSettings,
    Unreachable,
    compose_headers,
)
from leanbe_emitter.target_rules import TargetRules
from tests.support.event_loops import run_in_loop, run_in_virtual_time, takes_virtual_seconds
from tests.support.network_sender import open_sender, post, send_to_unreachable
from tests.support.receiver_servers import python_server
from tests.support.scripted_server import OK, Peer, run_script

#: Of a loop in its own time.
SOON = 0.2


class Book:
    """A resolver that knows what it was told, and notes what it was asked."""

    def __init__(self, **names: Sequence[str]) -> None:
        self.asked: list[str] = []
        self._names = names

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        del port
        self.asked.append(host)
        if host not in self._names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self._names[host]


@contextmanager
def unused_port(host: str = "127.0.0.1") -> Iterator[int]:
    """Hold a port on which nobody listens."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as sock:
        sock.bind((host, 0))
        yield sock.getsockname()[1]


# Families and names.


@run_in_loop
async def test_ipv6_is_spoken() -> None:
    async with run_script(Peer.serve, host="::1") as server, open_sender() as transport:
        assert (await transport.send(post(server.url()))).status == 200


@pytest.mark.parametrize("family", ["::1", "127.0.0.1"])
@pytest.mark.parametrize("name", ["localhost", "app.localhost"])
@run_in_loop
async def test_localhost_is_found_on_either_family_without_asking_anyone(
    family: str, name: str
) -> None:
    async with (
        run_script(Peer.serve, host=family) as server,
        open_sender(resolve=Book()) as transport,
    ):
        assert (await transport.send(post(server.url(host=name)))).status == 200


@run_in_loop
async def test_a_refused_connection_names_every_address_that_was_tried() -> None:
    with unused_port() as port:
        async with open_sender() as transport:
            reason = await send_to_unreachable(transport, post(f"http://localhost:{port}/"))
            assert reason == (
                f"connection refused by [::1]:{port}; connection refused by 127.0.0.1:{port}"
            )


@run_in_loop
async def test_the_next_address_is_tried_when_one_refuses() -> None:
    book = Book(**{"two.test": ("::1", "127.0.0.1")})
    async with run_script(Peer.serve) as server, open_sender(resolve=book) as transport:
        assert (await transport.send(post(server.url(host="two.test")))).status == 200
        assert (await transport.send(post(server.url(host="two.test")))).status == 200
        assert book.asked == ["two.test"]  # once: the connection was kept


@run_in_virtual_time
async def test_an_address_that_answers_nothing_leaves_time_for_the_next() -> None:
    with full_backlog() as deaf:
        book = Book(**{"two.test": ("::1", "127.0.0.1")})
        async with open_sender(resolve=book) as transport:
            url = f"http://two.test:{deaf}/"
            request = OutgoingRequest(
                method="POST",
                url=url,
                headers=compose_headers(url, content_length=0),
                body=b"",
                connect_timeout_seconds=SOON,
            )
            with takes_virtual_seconds(SOON / 2):
                reason = await send_to_unreachable(transport, request)
            assert reason.startswith(f"[::1]:{deaf} did not take the connection within 0.1 s; ")
            assert reason.endswith(f"connection refused by 127.0.0.1:{deaf}")


@contextmanager
def full_backlog() -> Iterator[int]:
    """Listen on a port of ::1 that takes no more connections, and of 127.0.0.1 takes none."""
    with unused_port() as port, socket.socket(socket.AF_INET6) as listener:
        listener.bind(("::1", port))
        listener.listen(0)
        waiting = []
        for _ in range(8):
            sock = socket.socket(socket.AF_INET6)
            sock.settimeout(0)
            sock.connect_ex(("::1", port))
            waiting.append(sock)
        try:
            yield port
        finally:
            for sock in waiting:
                sock.close()


@run_in_loop
async def test_a_name_that_nobody_knows_is_unreachable() -> None:
    async with open_sender(resolve=Book()) as transport:
        reason = await send_to_unreachable(transport, post("http://nobody.test/"))
        assert reason == "the name nobody.test cannot be resolved: name or service not known"


@run_in_loop
async def test_a_name_without_addresses_is_unreachable() -> None:
    async with open_sender(resolve=Book(**{"empty.test": ()})) as transport:
        reason = await send_to_unreachable(transport, post("http://empty.test/"))
        assert reason == "the name empty.test has no address"


@run_in_loop
async def test_an_address_that_is_none_is_unreachable() -> None:
    async with open_sender(resolve=Book(**{"odd.test": ("odd",)})) as transport:
        assert "'odd' is no address" in await send_to_unreachable(
            transport, post("http://odd.test/")
        )


def test_a_call_that_gets_through_to_itself_is_refused() -> None:
    """The system may give a caller the very port that it calls; nobody listens there."""

    async def call_ourselves() -> None:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            sock.settimeout(0)
            await asyncio.get_running_loop().sock_connect(sock, sock.getsockname())
            with pytest.raises(ConnectionRefusedError):
                _refuse_self_connection(sock)

    asyncio.run(call_ourselves())


# Rules.


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("169.254.169.254", "metadata"),
        ("169.254.7.7", "link-local"),
        ("::ffff:169.254.169.254", "metadata"),
        ("0.0.0.0", "unspecified"),
        ("224.0.0.1", "multicast"),
        ("fe80::1", "link-local"),
    ],
)
@run_in_loop
async def test_a_name_that_leads_to_a_forbidden_address_is_unreachable(
    address: str, rule: str
) -> None:
    async with open_sender(resolve=Book(**{"evil.test": (address,)})) as transport:
        reason = await send_to_unreachable(transport, post("http://evil.test:8000/"))
        for part in (address, "evil.test", rule, "LEANBE_EMITTER_ALLOW_TARGETS"):
            assert part in reason


@run_in_loop
async def test_of_several_addresses_the_forbidden_ones_are_passed_over() -> None:
    book = Book(**{"both.test": ("169.254.169.254", "127.0.0.1")})
    async with run_script(Peer.serve) as server, open_sender(resolve=book) as transport:
        assert (await transport.send(post(server.url(host="both.test")))).status == 200


@run_in_loop
async def test_a_name_is_resolved_and_checked_again_for_every_new_connection() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(OK.replace(b"Content", b"Connection: close\r\nContent"))

    names: dict[str, Sequence[str]] = {"turncoat.test": ("127.0.0.1",)}
    book = Book()
    book._names = names
    async with run_script(script) as server, open_sender(resolve=book) as transport:
        url = server.url(host="turncoat.test")
        assert (await transport.send(post(url))).status == 200
        names["turncoat.test"] = ("169.254.169.254",)
        assert "metadata" in await send_to_unreachable(transport, post(url))


@run_in_loop
async def test_an_exposed_server_reaches_no_public_address() -> None:
    book = Book(**{"public.test": ("203.0.113.7",)})
    async with open_sender(rules=TargetRules(exposed=True), resolve=book) as transport:
        reason = await send_to_unreachable(transport, post("http://public.test/"))
        assert "only loopback and private networks" in reason


@run_in_loop
async def test_only_targets_are_held_to_on_the_address_that_is_connected_to() -> None:
    async def script(peer: Peer) -> None:
        await peer.serve()

    book = Book(**{"named.test": ("127.0.0.2", "127.0.0.1"), "other.test": ("127.0.0.2",)})
    rules = TargetRules(only=("127.0.0.1",))
    async with run_script(script) as server, open_sender(rules=rules, resolve=book) as transport:
        assert (await transport.send(post(server.url(host="named.test")))).status == 200
        assert (await transport.send(post(server.url(host="localhost")))).status == 200
        for host in ("127.0.0.2", "other.test"):
            url = server.url(host=host)
            assert "only targets" in await send_to_unreachable(transport, post(url))


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "ftp://a.test/", "http://0x7f.1/"])
@run_in_loop
async def test_a_url_that_the_rules_refuse_by_now_is_unreachable(url: str) -> None:
    async with open_sender() as transport:
        request = OutgoingRequest(method="POST", url=url, headers=(), body=b"")
        assert await send_to_unreachable(transport, request)


@run_in_loop
async def test_proxy_variables_of_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with unused_port() as port:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        async with run_script(Peer.serve) as server, open_sender() as transport:
            assert (await transport.send(post(server.url()))).status == 200


# TLS.


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def server_tls(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("localhost", "127.0.0.1"))).configure_cert(context)
    return context


@run_in_loop
async def test_a_certificate_of_a_known_authority_is_trusted(
    authority: trustme.CA, ca_file: str
) -> None:
    tls = TlsSettings(ca_file=ca_file)
    async with (
        run_script(Peer.serve, tls=server_tls(authority)) as server,
        open_sender() as transport,
    ):
        for host in ("localhost", "127.0.0.1", "localhost"):
            assert (await transport.send(post(server.url(host=host), tls=tls))).status == 200
        assert server.connections == 2


@run_in_loop
async def test_a_certificate_is_verified_by_default_before_a_byte_goes_out(
    authority: trustme.CA,
) -> None:
    async def script(peer: Peer) -> None:
        received.append(await peer.until_hung_up())

    received: list[bytes] = []
    async with run_script(script, tls=server_tls(authority)) as server, open_sender() as transport:
        reason = await send_to_unreachable(transport, post(server.url()))
        assert reason.startswith(f"the certificate of 127.0.0.1:{server.port} is not trusted: ")
        told = "(a CA file names an authority to trust, 'insecure' trusts anyone)"
        assert reason.endswith(told)
        assert not any(received)


@run_in_loop
async def test_a_certificate_for_another_name_is_not_trusted(
    authority: trustme.CA, ca_file: str
) -> None:
    tls = server_tls(authority, "other.test")
    async with run_script(Peer.serve, tls=tls) as server, open_sender() as transport:
        request = post(server.url(), tls=TlsSettings(ca_file=ca_file))
        assert "not valid for '127.0.0.1'" in await send_to_unreachable(transport, request)


@run_in_loop
async def test_insecure_trusts_anyone(authority: trustme.CA) -> None:
    tls = server_tls(authority, "other.test")
    async with run_script(Peer.serve, tls=tls) as server, open_sender() as transport:
        request = post(server.url(), tls=TlsSettings(insecure=True))
        assert (await transport.send(request)).status == 200


@run_in_loop
async def test_a_connection_that_trusts_anyone_is_not_used_for_a_request_that_does_not(
    authority: trustme.CA,
) -> None:
    async with (
        run_script(Peer.serve, tls=server_tls(authority)) as server,
        open_sender() as transport,
    ):
        await transport.send(post(server.url(), tls=TlsSettings(insecure=True)))
        assert "not trusted" in await send_to_unreachable(transport, post(server.url()))


@pytest.mark.parametrize("content", [None, "no certificate"])
@run_in_loop
async def test_a_ca_file_that_cannot_be_read_is_unreachable(
    content: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    async with open_sender() as transport:
        request = post("https://localhost:1/", tls=TlsSettings(ca_file=str(path)))
        reason = await send_to_unreachable(transport, request)
        assert reason.startswith(f"the authorities in {path} cannot be read: ")


@run_in_loop
async def test_a_server_that_does_not_speak_tls_is_unreachable() -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.read(1)
        await peer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await peer.until_hung_up()

    async with run_script(script) as server, open_sender() as transport:
        reason = await send_to_unreachable(transport, post(f"https://localhost:{server.port}/"))
        assert "the TLS handshake with" in reason


@run_in_loop
async def test_a_server_that_hangs_up_in_the_handshake_is_unreachable() -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.read(1)
        peer.reset()

    async with run_script(script) as server, open_sender() as transport:
        reason = await send_to_unreachable(transport, post(f"https://127.0.0.1:{server.port}/"))
        assert "handshake" in reason


@run_in_virtual_time
async def test_a_server_that_is_silent_in_the_handshake_is_unreachable() -> None:
    async def script(peer: Peer) -> None:
        await peer.until_hung_up()

    async with run_script(script) as server, open_sender() as transport:
        url = f"https://127.0.0.1:{server.port}/"
        with takes_virtual_seconds(SOON):
            reason = await send_to_unreachable(transport, post(url, timeout_seconds=SOON))
        assert reason == f"127.0.0.1:{server.port} did not take the connection within 0.2 s"


@pytest.mark.parametrize("with_goodbye", [True, False])
@run_in_loop
async def test_over_tls_an_answer_without_a_length_ends_with_the_connection(
    authority: trustme.CA, *, with_goodbye: bool
) -> None:
    """With TLS's own goodbye or without: asyncio does not tell which, and many leave it out."""

    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 200 OK\r\n\r\nhello")
        if with_goodbye:
            await peer.hang_up()

    async with run_script(script, tls=server_tls(authority)) as server, open_sender() as transport:
        request = post(server.url(), tls=TlsSettings(insecure=True))
        assert (await transport.send(request)).body == b"hello"


@run_in_loop
async def test_an_early_answer_over_tls_ends_the_connection(authority: trustme.CA) -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await peer.until_hung_up()

    async with run_script(script, tls=server_tls(authority)) as server, open_sender() as transport:
        request = post(server.url(), body=b"x" * 20_000_000, tls=TlsSettings(insecure=True))
        assert (await transport.send(request)).status == 413
        await server.ended.get()


@run_in_loop
async def test_over_tls_a_long_request_gives_its_connection_up(authority: trustme.CA) -> None:
    """Asyncio does not tell whether all of it was out when the answer came."""
    async with (
        run_script(Peer.serve, tls=server_tls(authority)) as server,
        open_sender() as transport,
    ):
        for length in (16_000, 17_000, 16_000):
            body = b"x" * length
            await transport.send(post(server.url(), body=body, tls=TlsSettings(insecure=True)))
        assert server.connections == 2


@run_in_loop
async def test_a_large_body_goes_out_whole_over_tls(authority: trustme.CA) -> None:
    async def script(peer: Peer) -> None:
        received.append(len(await peer.request()))
        await peer.write(OK)
        await peer.until_hung_up()

    received: list[int] = []
    async with run_script(script, tls=server_tls(authority)) as server, open_sender() as transport:
        request = post(server.url(), body=b"x" * 5_000_000, tls=TlsSettings(insecure=True))
        assert (await transport.send(request)).status == 200
    assert received[0] > 5_000_000


@pytest.mark.usefixtures("own_garbage")
def test_a_failed_handshake_leaves_no_socket_open_when_the_loop_is_closed_at_once() -> None:
    loop = asyncio.new_event_loop()
    transport = Http1Transport(rules=TargetRules())
    with python_server() as url, warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with pytest.raises(Unreachable):
            loop.run_until_complete(transport.send(post(url.replace("http:", "https:"))))
        loop.run_until_complete(transport.aclose())
        loop.close()
        gc.collect()
    assert not seen


@run_in_loop
async def test_a_send_cancelled_in_the_handshake_hangs_up() -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.read(1)
        begun.set()
        await peer.until_hung_up()

    begun = asyncio.Event()
    async with run_script(script) as server, open_sender() as transport:
        sending = asyncio.ensure_future(transport.send(post(f"https://127.0.0.1:{server.port}/")))
        await begun.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await server.ended.get()
