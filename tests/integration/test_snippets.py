"""The receivers that ``snippet`` prints do what their comments say, against the emitter itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from leanbe_emitter import Leanbe, sign, stringify
from leanbe_emitter.snippets import NAMES
from leanbe_emitter.wire.event_names import EVENT_NAMES
from tests.support.running_snippets import (
    SECRET,
    RunningSnippet,
    has_express,
    run_in_node,
    run_in_process,
)

PYTHON = ("fastapi", "flask", "django")
PAYLOAD = {"_id": "64a28ec49c3a1954e6a2e504", "title": "Dark mode, née «Noir» 🌒", "score": 1.0}


@pytest.fixture(
    params=[
        *PYTHON,
        pytest.param("node", marks=pytest.mark.node),
        # What the snippet uses of Express, in 40 lines of ours: no test downloads anything.
        pytest.param("express, stood in for", marks=pytest.mark.node),
        pytest.param("express", marks=pytest.mark.node),
    ]
)
def receiver(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[RunningSnippet]:
    """Each receiver, running."""
    name, _, stood_in_for = request.param.partition(",")
    if name in PYTHON:
        monkeypatch.setenv("LEANBE_WEBHOOK_SECRET", SECRET)
        with run_in_process(name, tmp_path, capsys) as running:
            yield running
        return
    if request.param == "express" and not has_express():
        pytest.skip("Express is not installed where NODE_PATH says")
    with run_in_node(name, tmp_path, stand_in=bool(stood_in_for)) as running:
        yield running


def body(
    payload: object = PAYLOAD,
    *,
    event: object = "idea.created",
    secret: str = SECRET,
    **more: object,
) -> bytes:
    """Return a signed body; ``more`` stands in it instead of what should."""
    envelope = {
        "payload": payload,
        "event": event,
        "triggeredAt": "2026-11-24T14:02:11.123Z",
        "signature": sign(payload, secret),
        **more,
    }
    return stringify({name: value for name, value in envelope.items() if value is not ...}).encode()


def test_it_accepts_all_22_events(receiver: RunningSnippet) -> None:
    with Leanbe() as leanbe:
        leanbe.products.create("Acme", secret=SECRET, **receiver.where)
        for name in EVENT_NAMES:
            delivery = leanbe.trigger(name)
            assert delivery.delivered, delivery.attempts


def test_it_acts_once_on_what_comes_more_often(receiver: RunningSnippet) -> None:
    with Leanbe() as leanbe:
        leanbe.products.create("Acme", secret=SECRET, **receiver.where)
        first = leanbe.trigger("idea.created", set={"title": "Dark mode"})
        again = leanbe.deliveries.redeliver(first, times=3)
        leanbe.trigger("idea.created", set={"title": "Light mode"})
        assert all(each.delivered for each in (first, *again))
    assert receiver.printed().splitlines() == ["new idea: Dark mode", "new idea: Light mode"]


def test_it_refuses_what_was_tampered_with_and_does_nothing(receiver: RunningSnippet) -> None:
    tampered = body().replace(b"Dark", b"dark")
    forged = [tampered, body(secret="another"), body(extra=1, signature=sign(PAYLOAD, ""))]
    assert [receiver.status(each) for each in forged] == [401, 401, 401]
    assert receiver.printed() == ""


NO_SIGNATURE: tuple[object, ...] = (..., None, 7, True, [], {}, "", "é" * 64, "0" * 63)
NO_PAYLOAD = b'{"event":"idea.created","triggeredAt":"","signature":""}'
NO_WEBHOOK = (
    *(body(signature=each) for each in NO_SIGNATURE),
    *(NO_PAYLOAD, b"", b"{", b"[]", b"null", b"7", b"\xff"),
)


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


def test_what_fails_is_not_taken_for_done(receiver: RunningSnippet) -> None:
    failing = body(None)  # which has no title
    assert [receiver.status(each) for each in (failing, failing, body())] == [500, 500, 204]


def test_there_is_a_snippet_for_each_of_these() -> None:
    assert {*PYTHON, "node", "express"} == set(NAMES)
