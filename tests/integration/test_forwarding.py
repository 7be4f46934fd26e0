"""Forwarding of ``receiver --forward-to``: the request as it came, and the answer as it came."""

import asyncio

import pytest

from leanbe_emitter.cli.receive.forwarding import Forwarder, NotForwarded, end_to_end
from leanbe_emitter.delivery.network.transport import Answer
from leanbe_emitter.errors import InvalidTarget
from tests.support.ports import free_port
from tests.support.scripted_server import Peer, Script, head, run_script

BODY = bytes(range(256)) * 8192
HEADERS = [
    (b"Host", b"tunnel.example.com"),
    (b"Content-Type", b"application/json"),
    (b"Content-Length", b"7"),
    (b"Connection", b"keep-alive, X-Hop"),
    (b"X-Hop", b"1"),
    (b"Keep-Alive", b"timeout=5"),
    (b"TE", b"trailers"),
    (b"Transfer-Encoding", b"chunked"),
    (b"Upgrade", b"h2c"),
    (b"Expect", b"100-continue"),
    (b"X-Name", "Zoë".encode("latin-1")),
    (b"X-Leanbe-Signature", b"ab"),
    (b"X-Leanbe-Signature", b"cd"),
]


def forwarded(
    script: Script, *, method: str = "POST", host: str = "127.0.0.1", seconds: float = 10
) -> Answer:
    """Return the answer of a target that follows a script."""

    async def scene() -> Answer:
        async with run_script(script, host=host) as target:
            forwarder = Forwarder(target.url("/hook?key=1"), timeout_seconds=seconds)
            try:
                return await forwarder.send(method, HEADERS, BODY)
            finally:
                await forwarder.aclose()

    return asyncio.run(scene())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_target_gets_method_body_and_end_to_end_headers(host: str) -> None:
    requests = []

    async def script(peer: Peer) -> None:
        requests.append(await peer.request())
        await peer.write(head("Content-Length: 0"))

    assert forwarded(script, method="PUT", host=host).status == 200
    first, _, body = requests[0].partition(b"\r\n\r\n")
    line, host_line, *lines = first.split(b"\r\n")
    assert line == b"PUT /hook?key=1 HTTP/1.1"
    assert host_line.startswith(b"Host: [::1]:" if ":" in host else b"Host: 127.0.0.1:")
    assert lines == [
        b"Content-Type: application/json",
        b"X-Name: Zo\xeb",
        b"X-Leanbe-Signature: ab",
        b"X-Leanbe-Signature: cd",
        b"Content-Length: %d" % len(BODY),
    ]
    assert body == BODY


def test_the_answer_comes_back_whole_and_without_transfer_coding() -> None:
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
    lines = ("Content-Encoding: br", "Transfer-Encoding: chunked", "Set-Cookie: a=1")

    async def script(peer: Peer) -> None:
        await peer.answer(head(*lines, "Set-Cookie: b=2", status="207 So So") + chunks)

    answer = forwarded(script)
    assert (answer.status, answer.reason, answer.body) == (207, "So So", BODY)
    assert [*end_to_end(answer.headers)] == [
        ("Content-Encoding", "br"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
    ]


async def hangs(peer: Peer) -> None:
    await peer.request()
    await peer.until_hung_up()


async def hangs_up(peer: Peer) -> None:
    await peer.request()
    await peer.hang_up()


async def resets(peer: Peer) -> None:
    await peer.request()
    peer.reset()


async def ends_early(peer: Peer) -> None:
    await peer.answer(head("Content-Length: 10") + b"half")
    await peer.hang_up()


async def sends_nonsense(peer: Peer) -> None:
    await peer.answer(b"SSH-2.0-OpenSSH\r\n\r\n")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (hangs, "within 0.1 s"),
        (hangs_up, "closed the connection before it answered"),
        (resets, "before it answered"),
        (ends_early, "in the middle of its answer"),
        (sends_nonsense, "did not send an HTTP/1.1 answer"),
    ],
)
def test_a_target_without_an_answer_is_told_with_its_reason(script: Script, reason: str) -> None:
    with pytest.raises(NotForwarded, match=reason):
        forwarded(script, seconds=0.1 if script is hangs else 10)


def test_a_target_that_is_down_and_a_head_request_are_told() -> None:
    forwarder = Forwarder(f"http://127.0.0.1:{free_port()}/")
    for method, reason in (("POST", "connection refused by"), ("HEAD", "HEAD is not passed on")):
        with pytest.raises(NotForwarded, match=reason):
            asyncio.run(forwarder.send(method, HEADERS, b""))


@pytest.mark.parametrize(
    "url", ["http://localhost:1/", "http://app.localhost/", "http://127.9.9.9/", "https://[::1]/"]
)
def test_targets_on_this_machine_are_allowed(url: str) -> None:
    Forwarder(url)


@pytest.mark.parametrize(
    ("url", "allow"),
    [
        ("http://10.0.0.7/", "10.0.0.0/8"),
        ("http://[fd12::1]/", "fd12::1"),
        ("http://app.example.com/", "app.example.com"),
        ("http://[::ffff:10.0.0.7]/", "10.0.0.7"),
    ],
)
def test_other_targets_have_to_be_allowed(url: str, allow: str) -> None:
    with pytest.raises(InvalidTarget, match="is another one") as refusal:
        Forwarder(url)
    assert "--allow-targets" in refusal.value.hint
    Forwarder(url, allow=(allow,))


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "127.0.0.1:3000", "http://169.254.169.254/"])
def test_other_urls_and_metadata_addresses_are_refused(url: str) -> None:
    with pytest.raises(InvalidTarget):
        Forwarder(url, allow=("0.0.0.0/0",))
