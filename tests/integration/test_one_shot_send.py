"""``send``: one request without a database."""

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from leanbe_emitter import Changes, Conflict, InvalidTarget, InvalidValue, OneShotSender, Settings
from leanbe_emitter import WebhookTarget as To
from leanbe_emitter.delivery.watching import Attempt, StartedAttempt, Watcher
from leanbe_emitter.wire.event_names import EVENT_NAMES
from tests.integration.conftest import SECRET
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.node import Node

TEXT = 'Ärger mit "Größe" — 日本 😀'


@pytest.fixture
def courier(receiver: LoopbackReceiver) -> OneShotSender:
    """A courier to the receiver."""
    return OneShotSender(To(url=receiver.url, secret=SECRET))


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with Node.started() as node:
        yield node


@pytest.mark.node
def test_every_sample_verifies_with_the_article_formula(
    courier: OneShotSender, receiver: LoopbackReceiver, node: Node
) -> None:
    for name in EVENT_NAMES:
        path = "firstName" if name.startswith("customer.") else "title"
        attempt = courier.send_sample(name, Changes(set={path: TEXT}))
        assert attempt.outcome == "delivered"
    assert [each.verified(SECRET).event for each in receiver.requests] == list(EVENT_NAMES)
    assert all(node.verifies(body.decode(), SECRET) for body in receiver.bodies)


def test_a_body_is_signed_anew_with_the_receivers_secret(
    courier: OneShotSender, receiver: LoopbackReceiver
) -> None:
    body = {
        "payload": {"b": 1, "10": 2.50, "text": TEXT},
        "event": "idea.created",
        "triggeredAt": "2023-06-29T06:55:00.543Z",
        "signature": "stale",
    }
    courier.send_body(json.dumps(body, indent=4).encode())
    envelope = receiver.requests[0].verified(SECRET)
    assert envelope.payload == body["payload"]
    assert (envelope.event, envelope.triggered_at) == ("idea.created", body["triggeredAt"])


def test_a_body_without_a_time_that_can_be_read_gets_the_present_one(
    courier: OneShotSender, receiver: LoopbackReceiver
) -> None:
    for triggered_at in ({}, {"triggeredAt": "yesterday"}, {"triggeredAt": None}):
        courier.send_body(json.dumps({"payload": None, "event": "x", **triggered_at}).encode())
    assert all(each.verified(SECRET).triggered_at > "2024" for each in receiver.requests)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00 no UTF-8",
        b'{"payload": {}, "event": "idea.created", "signature": "WRONG"}\n',
        b"[" * 100_000,
        bytes(range(256)),
    ],
)
def test_as_it_is_a_body_is_sent_byte_for_byte(
    courier: OneShotSender, receiver: LoopbackReceiver, body: bytes
) -> None:
    courier.send_body(body, as_is=True)
    assert receiver.bodies == [body]
    assert receiver.requests[0].headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", b"{", b'{"payload": {}}', b'{"payload": {}, "event": 5}', b"NaN"]
)
def test_a_body_that_is_no_envelope_cannot_be_signed_anew(
    courier: OneShotSender, receiver: LoopbackReceiver, body: bytes
) -> None:
    with pytest.raises(InvalidValue, match="; as_is=True sends any body") as refused:
        courier.send_body(body)
    assert "; --as-is sends any body" in refused.value.hints.command
    assert receiver.requests == []


def test_assumptions_shape_the_request(receiver: LoopbackReceiver) -> None:
    assume = {
        "pretty_body": "true",
        "method": "PUT",
        "signature_location": "both",
        "content_type": "application/vnd.leanbe+json",
        "resign_queued": "true",
    }
    courier = OneShotSender(To(url=receiver.url, secret=SECRET), assume=assume)
    courier.send_sample("idea.created")
    courier.send_body(b"no envelope", as_is=True)
    pretty, plain = receiver.requests
    assert (pretty.method, plain.method) == ("PUT", "PUT")
    assert pretty.body.startswith(b'{\n  "payload": {')
    assert pretty.headers["X-Leanbe-Signature"] == pretty.verified(SECRET).signature
    assert plain.headers["Content-Type"] == "application/vnd.leanbe+json"
    assert plain.body == b"no envelope"


def test_the_receivers_headers_go_with_the_request(receiver: LoopbackReceiver) -> None:
    to = To(url=receiver.url, secret=SECRET, headers=(("X-Environment", "test"),))
    OneShotSender(to).send_sample("idea.created")
    assert receiver.requests[0].headers["X-Environment"] == "test"


def test_a_refused_request_is_not_made_again(
    courier: OneShotSender, receiver: LoopbackReceiver
) -> None:
    receiver.statuses.append(500)
    attempt = courier.send_sample("idea.created")
    assert (attempt.outcome, attempt.answer_status) == ("refused", 500)
    assert len(receiver.requests) == 1


def test_a_watcher_gets_each_attempt(receiver: LoopbackReceiver) -> None:
    told: list[str] = []

    class Listener(Watcher):
        def started(self, attempt: StartedAttempt) -> None:
            told.append(f"started {attempt.event}")

        def ended(self, attempt: Attempt) -> None:
            told.append(f"ended {attempt.event} {attempt.outcome}")

    OneShotSender(To(url=receiver.url, secret=SECRET), watcher=Listener()).send_sample(
        "okr.created"
    )
    assert told == ["started okr.created", "ended okr.created delivered"]


def test_nothing_is_stored(
    courier: OneShotSender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    courier.send_sample("idea.created")
    courier.send_body(b"{}", as_is=True)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_target_is_refused_before_anything_is_sent(receiver: LoopbackReceiver) -> None:
    with pytest.raises(InvalidTarget):
        OneShotSender(To(url="http://169.254.169.254/", secret=SECRET))
    with pytest.raises(InvalidTarget):
        OneShotSender(To(url=receiver.url, secret=SECRET), assume={"require_https": "true"})
    for secret in ("", "half \ud83d"):
        with pytest.raises(InvalidValue, match="secret"):
            OneShotSender(To(url=receiver.url, secret=secret))
    with pytest.raises(InvalidValue, match="cannot be used as a file of authorities"):
        OneShotSender(To(url=receiver.url, secret=SECRET, ca_file="no-such.pem"))
    with pytest.raises(InvalidValue):
        OneShotSender(To(url=receiver.url, secret=SECRET, headers=(("X\n", "v"),)))
    assert receiver.requests == []


def test_a_setting_says_which_targets_may_be_called() -> None:
    link_local = To(url="http://169.254.7.7/", secret=SECRET)
    with pytest.raises(InvalidTarget):
        OneShotSender(link_local)
    OneShotSender(link_local, settings=Settings(allow_targets=("169.254.7.0/24",)))


def test_a_wrong_event_or_path_is_refused(
    courier: OneShotSender, receiver: LoopbackReceiver
) -> None:
    with pytest.raises(InvalidValue, match=r"idea\.created"):
        courier.send_sample("idea.craeted")
    with pytest.raises(InvalidValue, match="titel"):
        courier.send_sample("idea.created", Changes(set={"titel": "x"}))
    assert receiver.requests == []


def test_on_a_thread_that_runs_a_loop_nothing_is_sent(
    courier: OneShotSender, receiver: LoopbackReceiver
) -> None:
    async def send() -> None:
        with pytest.raises(Conflict, match="event loop"):
            courier.send_sample("idea.created")
        await asyncio.to_thread(courier.send_sample, "idea.created")

    asyncio.run(send())
    assert len(receiver.requests) == 1


def test_the_secret_is_not_shown(
    receiver: LoopbackReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    to = To(url=receiver.url, secret="whsec_hush", headers=(("Authorization", "Bearer hush"),))
    attempt = OneShotSender(to).send_sample("idea.created")
    assert "hush" not in f"{to!r}{attempt!r}{caplog.text}"
