"""Ways to look at what a receiver stored: each gives one JSON value, or says why it cannot."""

import sys

import pytest

from leanbe_emitter.conformance.observation import (
    ObservationFailed,
    by_command,
    by_function,
    by_url,
)
from leanbe_emitter.delivery.network.transport import Answer, OutgoingRequest, Unreachable
from tests.support.event_loops import run_in_loop

SH = "/bin/sh"


class Page:
    """A transport that gives one answer."""

    def __init__(self, answer: Answer | None) -> None:
        self._answer = answer
        self.asked: list[OutgoingRequest] = []

    async def send(self, request: OutgoingRequest) -> Answer:
        self.asked.append(request)
        if self._answer is None:
            raise Unreachable("connection refused")
        return self._answer

    async def aclose(self) -> None:
        """Nothing is open."""


@run_in_loop
async def test_a_command_is_run_without_a_shell_and_prints_the_value() -> None:
    echo = [sys.executable, "-S", "-c", "import sys; print(sys.argv[1])", '["$HOME", 3]']
    assert await by_command(echo)() == ["$HOME", 3]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["/no/such/program"], "cannot be run"),
        ([SH, "-c", "echo oh no >&2; exit 3"], "exited with 3: oh no"),
        ([SH, "-c", "echo three ideas"], "no JSON value: 'three ideas'"),
    ],
)
@run_in_loop
async def test_a_command_that_fails_says_why(words: list[str], said: str) -> None:
    with pytest.raises(ObservationFailed, match=said):
        await by_command(words)()


@run_in_loop
async def test_a_function_may_be_asynchronous() -> None:
    async def count() -> int:
        return 3

    assert await by_function(count)() == await by_function(lambda: 3)() == 3


@run_in_loop
async def test_a_url_is_read_with_the_given_headers() -> None:
    page = Page(Answer(status=200, body=b'{"ideas": 3}', body_length=12))
    observe = by_url("http://127.0.0.1:1/x", page, headers=[("Authorization", "Bearer t")])
    assert await observe() == {"ideas": 3}
    assert page.asked[0].method == "GET"
    assert ("Authorization", "Bearer t") in page.asked[0].headers


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "connection refused"),
        (Answer(status=404), "answered 404"),
        (Answer(status=200, body=b"<html>", body_length=6), "no JSON value"),
        (Answer(status=200, body=b"[", body_length=2_000_000), "2000000 bytes"),
    ],
)
@run_in_loop
async def test_a_url_that_gives_no_value_says_why(answer: Answer | None, said: str) -> None:
    with pytest.raises(ObservationFailed, match=said):
        await by_url("http://127.0.0.1:1/x", Page(answer))()
