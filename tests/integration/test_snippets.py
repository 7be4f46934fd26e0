"""The receivers that ``snippet`` prints do what their comments say, against the emitter itself."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from leanbe_emitter import Leanbe, sign
from leanbe_emitter.snippets import NAMES, snippet
from leanbe_emitter.wire.event_names import EVENT_NAMES
from tests.support.running_snippets import (
    SECRET,
    STAND_IN,
    RunningSnippet,
    SnippetProcess,
    has_express,
    run_as_told,
    run_in_process,
)
from tests.support.signed_bodies import HARD, PAYLOAD, body, sealed

PYTHON = ("fastapi", "flask", "django")
LANGUAGES = ("php", "go", "ruby", "java")
OTHERS = [
    pytest.param("node", marks=pytest.mark.node),
    # What the snippet uses of Express, in 40 lines of ours: no test downloads anything.
    pytest.param("express, stood in for", marks=pytest.mark.node),
    pytest.param("express", marks=pytest.mark.node),
    *(pytest.param(each, marks=getattr(pytest.mark, each)) for each in LANGUAGES),
]

Start = Callable[[str], SnippetProcess]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """A function that runs a receiver as a process, the same one for all tests."""
    with ExitStack() as stack:

        @cache
        def started(each: str) -> SnippetProcess:
            name, _, stood_in_for = each.partition(",")
            environ = {"NODE_PATH": str(STAND_IN)} if stood_in_for else {}
            folder = tmp_path_factory.mktemp(name)
            return stack.enter_context(run_as_told(name, folder, environ=environ))

        yield started


@pytest.fixture(params=[*PYTHON, *OTHERS])
def receiver(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    start: Start,
) -> Iterator[RunningSnippet]:
    """Each receiver, running."""
    if request.param in PYTHON:
        monkeypatch.setenv("LEANBE_WEBHOOK_SECRET", SECRET)
        with run_in_process(request.param, tmp_path, capsys) as running:
            yield running
        return
    if request.param == "express" and not has_express():
        pytest.skip("Express is not installed where NODE_PATH says")
    yield start(request.param).running()


def test_it_accepts_all_22_events(receiver: RunningSnippet) -> None:
    with Leanbe() as leanbe:
        leanbe.products.create("Acme", secret=SECRET, **receiver.where)
        for name in EVENT_NAMES:
            delivery = leanbe.trigger(name)
            assert delivery.delivered, delivery.attempts


def test_it_accepts_the_payloads_that_serialisers_write_in_other_ways(
    receiver: RunningSnippet,
) -> None:
    answers = {text: receiver.status(sealed(text)) for text in HARD}
    assert {text: status for text, status in answers.items() if status != 204} == {}


def test_it_acts_once_on_what_comes_more_often(receiver: RunningSnippet) -> None:
    with Leanbe() as leanbe:
        leanbe.products.create("Acme", secret=SECRET, **receiver.where)
        first = leanbe.trigger("idea.created", set={"title": "Dark mode"})
        again = leanbe.deliveries.redeliver(first, times=3)
        leanbe.trigger("idea.created", set={"title": "Light mode"})
        assert all(each.delivered for each in (first, *again))
    assert receiver.printed().splitlines() == ["new idea: Dark mode", "new idea: Light mode"]


@pytest.mark.parametrize("name", OTHERS[3:])
def test_it_acts_once_on_what_comes_several_times_at_the_same_time(start: Start, name: str) -> None:
    receiver, sent = start(name).running(), body({**PAYLOAD, "title": "Dark mode"})
    with ThreadPoolExecutor(8) as threads:
        answers = [*threads.map(receiver.status, [sent] * 8)]
    assert (answers, receiver.printed()) == ([204] * 8, "new idea: Dark mode\n")


def test_it_refuses_what_was_tampered_with_and_does_nothing(receiver: RunningSnippet) -> None:
    tampered = body().replace(b"Dark", b"dark")
    forged = [tampered, body(secret="another"), body(extra=1, signature=sign(PAYLOAD, ""))]
    assert [receiver.status(each) for each in forged] == [401, 401, 401]
    assert receiver.printed() == ""


def test_it_believes_no_second_payload_behind_the_signed_one(receiver: RunningSnippet) -> None:
    second = b',"payload":{"_id":"1","title":"Free pizza"},"triggeredAt":'
    assert receiver.status(body().replace(b',"triggeredAt":', second)) in {204, 400, 401}
    assert receiver.status(body().replace(b'{"payload":', b'{"payload":{"title":"Ha"},"payload":'))
    assert "pizza" not in (printed := receiver.printed())
    assert "Ha" not in printed


NO_SIGNATURE: tuple[object, ...] = (..., None, 7, True, [], {}, "", "é" * 64, "0" * 63)
NO_PAYLOAD = b'{"event":"idea.created","triggeredAt":"","signature":""}'
NO_WEBHOOK = (
    *(body(signature=each) for each in NO_SIGNATURE),
    *(NO_PAYLOAD, b"", b"{", b"[]", b"null", b"7", b"\xff"),
)


def test_a_body_that_is_not_json_is_a_bad_request(receiver: RunningSnippet) -> None:
    sent = (b"{", body()[:-40], body()[:60], b"\xff", body().replace("é".encode(), b"\xe9"))
    assert [receiver.status(each) for each in sent[:4]] == [400] * 4
    assert receiver.status(sent[4]) in {400, 401}


def test_it_refuses_what_is_no_webhook_and_goes_on(receiver: RunningSnippet) -> None:
    answers = {sent: receiver.status(sent) for sent in NO_WEBHOOK}
    assert {sent: status for sent, status in answers.items() if status not in {400, 401}} == {}
    assert receiver.status(body()) == 204


def test_it_survives_unknown_events_whatever_they_carry(receiver: RunningSnippet) -> None:
    names = ("idea.exploded", "constructor", "__proto__")
    payloads: tuple[object, ...] = (PAYLOAD, {}, [], None, "text")
    unknown = [body(payload, event=name) for name in names for payload in payloads]
    assert {receiver.status(each) for each in unknown} == {204}
    assert receiver.status(body()) == 204
    assert receiver.printed() == "new idea: Dark mode, née «Noir» 🌒\n"


def test_an_event_whose_handling_failed_is_not_taken_for_done(receiver: RunningSnippet) -> None:
    failing = body(None)  # which has no title
    assert [receiver.status(each) for each in (failing, failing, body())] == [500, 500, 204]


def test_there_is_a_snippet_for_each_of_these() -> None:
    proven = {*PYTHON, *LANGUAGES, "node", "express", "webhook"}
    assert {*proven, "csharp"} == set(NAMES)
    assert [each for each in NAMES if "Unproven" in snippet(each)] == ["csharp"]
