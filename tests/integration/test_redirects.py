"""Redirects: every hop judged like the first, under one deadline."""

import asyncio
from collections.abc import Mapping

import pytest

from leanbe_emitter import Leanbe
from leanbe_emitter.clock import stopwatch
from leanbe_emitter.delivery.network.redirects import RedirectingTransport
from leanbe_emitter.delivery.network.transport import Answer, OutgoingRequest, Unknown, Unreachable
from leanbe_emitter.target_rules import TargetRules
from tests.support.event_loops import run_in_loop
from tests.support.network_sender import BODY, open_sender, post
from tests.support.scripted_server import OK, Peer, run_script

FROM = "https://a.test/hook"


class Receivers:
    """A transport whose receivers answer by URL; it notes what was sent."""

    def __init__(self, answers: Mapping[str, Answer | Exception]) -> None:
        self.sent: list[OutgoingRequest] = []
        self.is_closed = False
        self._answers = answers

    async def send(self, request: OutgoingRequest) -> Answer:
        self.sent.append(request)
        answer = self._answers[request.url]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def aclose(self) -> None:
        self.is_closed = True


def to(location: str, status: int = 307) -> Answer:
    return Answer(status=status, headers=(("location", location),))


async def follow(
    answers: Mapping[str, Answer | Exception], request: OutgoingRequest, *, exposed: bool = False
) -> tuple[Answer, list[OutgoingRequest]]:
    receivers = Receivers(answers)
    following = RedirectingTransport(receivers, rules=TargetRules(exposed=exposed))
    return await following.send(request), receivers.sent


def names(request: OutgoingRequest) -> list[str]:
    return [name for name, _ in request.headers]


@run_in_loop
async def test_an_answer_that_is_no_redirect_comes_back_untouched() -> None:
    for answer in (Answer(status=200), Answer(status=304), Answer(status=302), Answer(status=500)):
        got, sent = await follow({FROM: answer}, post(FROM))
        assert got is answer
        assert len(sent) == 1


@pytest.mark.parametrize("status", [307, 308])
@run_in_loop
async def test_307_and_308_keep_method_body_and_headers(status: int) -> None:
    answers = {FROM: to("/b?c=d#e", status), "https://a.test/b?c=d": Answer(status=204)}
    answer, [first, second] = await follow(answers, post(FROM, extra=(("X-Token", "t"),)))
    assert answer.status == 204
    assert answer.remark == "redirect number 1 led to https://a.test/b?c=d"
    assert (second.method, second.body, second.headers) == ("POST", BODY, first.headers)


@pytest.mark.parametrize("status", [301, 302, 303])
@run_in_loop
async def test_301_302_and_303_become_a_get_without_a_body(status: int) -> None:
    answers = {FROM: to("/b", status), "https://a.test/b": Answer(status=200)}
    _, [_, second] = await follow(answers, post(FROM))
    assert (second.method, second.body) == ("GET", b"")
    assert names(second) == ["Host", "User-Agent"]


@pytest.mark.parametrize(("status", "method"), [(301, "PUT"), (302, "PUT"), (303, "GET")])
@run_in_loop
async def test_a_put_stays_one_as_in_javascript(status: int, method: str) -> None:
    request = OutgoingRequest(method="PUT", url=FROM, headers=(), body=b"x")
    answers = {FROM: to("/b", status), "https://a.test/b": Answer(status=200)}
    _, [_, second] = await follow(answers, request)
    assert second.method == method


@pytest.mark.parametrize("elsewhere", ["https://b.test/", "https://a.test:8443/"])
@run_in_loop
async def test_the_webhooks_own_headers_go_nowhere_else_and_do_not_come_back(
    elsewhere: str,
) -> None:
    answers = {
        FROM: to(elsewhere),
        elsewhere: to("https://a.test/end"),
        "https://a.test/end": Answer(status=200),
    }
    request = post(FROM, extra=(("Authorization", "t"), ("X-Leanbe-Signature", "s")))
    _, [_, second, third] = await follow(answers, request)
    for hop in (second, third):
        assert names(hop) == ["Host", "Content-Type", "Content-Length", "User-Agent"]
    assert second.headers[0][1] == elsewhere.split("/")[2]
    assert third.headers[0][1] == "a.test"


@run_in_loop
async def test_at_most_five_redirects_are_followed() -> None:
    answer, sent = await follow({FROM: to(FROM)}, post(FROM))
    assert answer.status == 307
    assert answer.remark == "not followed: it is redirect number 6"
    assert len(sent) == 6


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://169.254.169.254/latest", "metadata"),
        ("https://[::ffff:169.254.169.254]/", "metadata"),
        ("http://a.test/hook", "from https to http"),
        ("file:///etc/passwd", "not an http or https URL"),
        ("https://ana:s3cret@b.test/", "credentials"),
        ("https://[", "cannot be read"),
        ("https://2130706433/", "odd form"),
    ],
)
@run_in_loop
async def test_a_hop_that_the_rules_forbid_is_not_made_and_the_redirect_is_the_answer(
    location: str, reason: str
) -> None:
    answer, sent = await follow({FROM: to(location)}, post(FROM))
    assert answer.status == 307
    assert answer.remark.startswith("not followed: ")
    assert reason in answer.remark
    assert "s3cret" not in answer.remark
    assert len(sent) == 1


@run_in_loop
async def test_the_rules_of_an_exposed_server_hold_for_hops() -> None:
    url = "http://127.0.0.1/"
    answer, _ = await follow({url: to("http://203.0.113.7/")}, post(url), exposed=True)
    assert "only loopback and private networks" in answer.remark


@pytest.mark.parametrize("error", [Unreachable("refused"), Unknown("reset")])
@run_in_loop
async def test_a_hop_that_fails_is_unknown_because_the_first_request_went_out(
    error: Exception,
) -> None:
    with pytest.raises(Unknown, match="after a redirect: re") as caught:
        await follow({FROM: to("/b"), "https://a.test/b": error}, post(FROM))
    assert caught.value.answer == to("/b")


@run_in_loop
async def test_a_first_request_that_fails_fails_as_it_is() -> None:
    with pytest.raises(Unreachable, match="refused"):
        await follow({FROM: Unreachable("refused")}, post(FROM))


@run_in_loop
async def test_closing_closes_what_sends() -> None:
    receivers = Receivers({})
    await RedirectingTransport(receivers, rules=TargetRules()).aclose()
    assert receivers.is_closed


@run_in_loop
async def test_redirects_are_followed_over_the_network() -> None:
    async def script(peer: Peer) -> None:
        while True:
            received.append(await peer.request())
            is_last = b" /end " in received[-1]
            await peer.write(OK if is_last else redirect)

    received: list[bytes] = []
    redirect = b"HTTP/1.1 308 Moved\r\nLocation: /end\r\nContent-Length: 0\r\n\r\n"
    async with run_script(script) as server, open_sender() as transport:
        following = RedirectingTransport(transport, rules=TargetRules())
        assert (await following.send(post(server.url()))).body == b"ok"
        assert [line.split(b" ")[1] for line in received] == [b"/hook", b"/end"]
        assert received[1].endswith(BODY)
        assert server.connections == 1


@run_in_loop
async def test_one_deadline_covers_all_hops() -> None:
    class Slow(Receivers):
        async def send(self, request: OutgoingRequest) -> Answer:
            began_at = stopwatch()
            await asyncio.sleep(0.001)
            took.append(stopwatch() - began_at)
            return await super().send(request)

    took: list[float] = []
    receivers = Slow({FROM: to(FROM)})
    await RedirectingTransport(receivers, rules=TargetRules()).send(post(FROM))
    given = [each.timeout_seconds for each in receivers.sent]
    assert len(given) == 6
    for before, after, taken in zip(given, given[1:], took, strict=False):
        assert after <= before - taken


def test_redirects_are_followed_without_an_event_loop_too() -> None:
    receivers = Receivers({FROM: to("/other"), "https://a.test/other": Answer(status=204)})
    with Leanbe(transport=receivers, assume={"follow_redirects": "true"}) as leanbe:
        leanbe.products.create("Acme", webhook_url=FROM)
        assert leanbe.trigger("idea.created").delivered
    assert [each.url for each in receivers.sent] == [FROM, "https://a.test/other"]
