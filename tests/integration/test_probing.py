"""Probing: the receiver itself is asked which mistake it makes. See tests/acceptance for languages.

The receivers are functions of this process, so that a probe costs some hundredths of a second.
"""

import asyncio
import hmac
import json
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Any

import pytest

from leanbe_emitter import (
    Conflict,
    InvalidValue,
    Leanbe,
    OneShotSender,
    Probed,
    ReceivedRequest,
    WebhookTarget,
)
from leanbe_emitter.wire.explain.content_mistakes import CONTENTS
from leanbe_emitter.wire.explain.received_request import ReceivedRequest as Parsed
from tests.support.loopback_receiver import LoopbackReceiver

SECRET = "whsec_test"


def mac(text: bytes | str, key: str = SECRET) -> str:
    content = text if isinstance(text, bytes) else text.encode()
    return hmac.digest(key.encode(), content, "sha256").hex()


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class Receiver:
    """A receiver that accepts what ``is_right`` says, and keeps all requests."""

    def __init__(
        self,
        is_right: Callable[[dict[str, Any], ReceivedRequest], bool],
        *,
        refusal: Any = 401,
        acceptance: int = 204,
    ) -> None:
        self._is_right = is_right
        self._refusal = refusal
        self._acceptance = acceptance
        self.bodies: list[dict[str, Any]] = []
        self.names_of_headers: list[set[str]] = []

    def __call__(self, request: ReceivedRequest) -> Any:
        self.bodies.append(json.loads(request.body))
        self.names_of_headers.append({name.lower() for name, _ in request.headers})
        is_right = self._is_right(self.bodies[-1], request)
        refusal = self._refusal(request) if callable(self._refusal) else self._refusal
        return self._acceptance if is_right else refusal


def computing(signature_of: Callable[[dict[str, Any]], str], **options: Any) -> Receiver:
    """Return a receiver that compares the body's signature with what it computes."""
    return Receiver(lambda body, _: body["signature"] == signature_of(body), **options)


def right(body: dict[str, Any]) -> str:
    return mac(compact(body["payload"]))


@pytest.fixture
def leanbe() -> Iterator[Leanbe]:
    with Leanbe() as leanbe:
        yield leanbe


def probed(leanbe: Leanbe, receiver: object, event: str = "idea.created", **options: Any) -> Probed:
    leanbe.products.create("Acme", webhook=receiver, secret=SECRET)
    leanbe.trigger(event)
    probed: Probed = leanbe.deliveries.last().explain(probe=True, **options)
    return probed


def in_header(name: str, prefix: str = "") -> Receiver:
    def is_right(_: object, request: ReceivedRequest) -> bool:
        return request.header(name) == prefix + mac(request.body)

    return Receiver(is_right)


def imitating(name: str) -> Receiver:
    """Return a receiver that hashes what a serialiser of another language writes."""
    mistake = next(each for each in CONTENTS if each.name == name)

    def is_right(body: dict[str, Any], request: ReceivedRequest) -> bool:
        contents = mistake.contents(Parsed.of(request.body, SECRET))
        return body["signature"] in map(mac, contents)

    return Receiver(is_right)


MISTAKES = {
    "python-dumps": computing(lambda body: mac(json.dumps(body["payload"]))),
    # Several serialisers write an ordinary idea in this way: a harder one tells them apart.
    "python-dumps-compact": imitating("python-dumps-compact"),
    "ruby-generate-ascii": imitating("ruby-generate-ascii"),
    "secret-with-newline": computing(lambda body: mac(compact(body["payload"]), f"{SECRET}\n")),
    "upper-case": computing(lambda body: right(body).upper()),
    "envelope-without-signature-hashed": Receiver(
        lambda body, request: (
            mac(request.body.rpartition(b',"signature":')[0] + b"}") == body["signature"]
        )
    ),
    "header-expected": Receiver(lambda body, request: request.header("x-signature") == right(body)),
    "raw-body-hashed header-expected": in_header("x-webhook-signature"),
    "raw-body-hashed prefixed header-expected": in_header("x-hub-signature-256", "sha256="),
    "python-dumps upper-case": computing(lambda body: mac(json.dumps(body["payload"])).upper()),
}


@pytest.mark.parametrize("names", MISTAKES)
def test_a_mistake_is_named_by_what_the_receiver_accepts(leanbe: Leanbe, names: str) -> None:
    told = probed(leanbe, MISTAKES[names])
    assert (told.verdict, told.explained) == ("named", True)
    assert [each.mistake.name for each in told.mistakes] == names.split()
    assert f"The probe sent {told.requests} requests. The receiver accepted" in told.summary
    assert "of them, and may have acted on these." in told.summary


def test_every_request_has_a_fresh_document_and_a_later_instant(leanbe: Leanbe) -> None:
    receiver = MISTAKES["python-dumps"]
    del receiver.bodies[:]
    told = probed(leanbe, receiver, "customer.updated")
    delivered = receiver.bodies.pop(0)
    ids = {each["payload"]["_id"] for each in receiver.bodies}
    assert len(ids | {delivered["payload"]["_id"]}) == told.requests + 1
    assert receiver.bodies[0]["triggeredAt"] > delivered["triggeredAt"]
    assert len({each["payload"]["email"] for each in receiver.bodies}) == told.requests
    times = [each["triggeredAt"] for each in receiver.bodies]
    assert times == sorted(set(times))
    assert {each["event"] for each in receiver.bodies} == {"customer.updated"}
    # The right one comes first and last, and beside signatures in headers.
    rights = [
        at
        for at, (body, names) in enumerate(
            zip(receiver.bodies, receiver.names_of_headers[-told.requests :], strict=True)
        )
        if body["signature"] == right(body) and "x-signature" not in names
    ]
    assert rights == [0, told.requests - 1]
    accepted = [each.document_id for each in told.accepted]
    assert accepted == [each["payload"]["_id"] for each in receiver.bodies[-3:-1]]


def test_nothing_of_a_probe_is_stored(leanbe: Leanbe) -> None:
    leanbe.products.create("Acme", webhook=MISTAKES["python-dumps"], secret=SECRET)
    leanbe.trigger("idea.created")
    before = leanbe.row_counts(), leanbe.deliveries.snapshot()
    leanbe.deliveries.last().explain(probe=True)
    assert (leanbe.row_counts(), leanbe.deliveries.snapshot()) == before


def test_a_receiver_that_compares_nothing_accepts_anything(leanbe: Leanbe) -> None:
    told = probed(leanbe, lambda _: 200, lang="php")
    assert (told.verdict, told.requests, len(told.accepted)) == ("accepts-anything", 2, 2)
    (mistake,) = told.mistakes
    assert "hash_equals(" in str(mistake.document()["fix"])


def test_a_receiver_that_refuses_the_right_signature_alone_accepts_anything(leanbe: Leanbe) -> None:
    inverted = Receiver(lambda body, _: body["signature"] != right(body))
    assert probed(leanbe, inverted).verdict == "accepts-anything"


def test_a_receiver_that_is_right_accepts_the_right_one(leanbe: Leanbe) -> None:
    told = probed(leanbe, computing(right))
    assert (told.verdict, told.explained, told.mistakes) == ("accepts-the-right-one", False, ())
    assert told.requests == 2


def test_a_whole_body_cannot_be_signed_but_its_digest_can_be_answered(leanbe: Leanbe) -> None:
    mute = Receiver(lambda body, request: body["signature"] == mac(request.body))
    told = probed(leanbe, mute)
    assert (told.verdict, told.explained, told.accepted) == ("none-fits", False, ())
    assert "a body cannot hold its own signature" in told.hint
    assert [each.mistake.name for each in told.mistakes] == [
        "raw-body-hashed",
        "whole-envelope-hashed",
    ]
    telling = Receiver(
        lambda body, request: body["signature"] == mac(request.body),
        refusal=lambda request: (401, mac(request.body)),
    )
    leanbe.webhooks.set("Acme", webhook=telling)
    told = leanbe.deliveries.last().explain(probe=True)
    assert (told.verdict, told.requests) == ("named", 1)
    assert [each.mistake.name for each in told.mistakes] == ["raw-body-hashed"]


def test_a_refusal_after_the_signature_shows_the_mistake_too(leanbe: Leanbe) -> None:
    """A receiver that knows no such idea answers 409, and to a wrong signature 401."""
    told = probed(leanbe, computing(lambda body: mac(json.dumps(body["payload"])), acceptance=409))
    assert (told.verdict, told.accepted) == ("named", ())
    assert [each.mistake.name for each in told.mistakes] == ["python-dumps"]


def test_a_lock_after_some_wrong_signatures_names_no_mistake(leanbe: Leanbe) -> None:
    refusals = chain(repeat(401, 9), repeat(403))
    receiver = computing(lambda _: "", refusal=lambda _: next(refusals))
    assert probed(leanbe, receiver).verdict == "none-fits"


def test_a_header_that_is_refused_in_another_way_than_a_missing_one_names_no_mistake(
    leanbe: Leanbe,
) -> None:
    receiver = Receiver(
        lambda _body, _request: False,
        refusal=lambda request: 401 if request.header("x-signature") else 400,
    )
    assert probed(leanbe, receiver).verdict == "none-fits"


def test_a_receiver_that_tells_the_right_signature_from_a_wrong_one_is_right(
    leanbe: Leanbe,
) -> None:
    """It refuses the event for another reason."""
    told = probed(leanbe, computing(right, acceptance=422))
    assert (told.verdict, told.requests) == ("accepts-the-right-one", 3)
    assert "answers 422 to the right signature, and 401 to a wrong one" in told.summary


def test_a_receiver_at_a_url_that_refuses_an_event_is_asked_with_the_others_too() -> None:
    """A receiver without customers refuses them; its mistake shows in a hard idea."""
    with LoopbackReceiver.listening() as elsewhere:
        elsewhere.statuses.extend(
            [204, 401, 422, 401, 422, *[204] * 2]  # the idea, the customer, the hard ideas
        )
        told = OneShotSender(WebhookTarget(url=elsewhere.url, secret=SECRET)).probe()
    assert (told.verdict, told.requests) == ("accepts-the-right-one", 7)
    assert "So the signature is not the reason" in told.summary
    events = [json.loads(body)["event"] for body in elsewhere.bodies]
    assert events == ["idea.created"] * 2 + ["customer.created"] * 3 + ["idea.created"] * 2


@pytest.mark.parametrize(
    ("answer", "said"), [(404, "answers 404 to every signature"), (503, "answered 503")]
)
def test_an_answer_that_is_not_about_signatures_ends_the_probe(
    leanbe: Leanbe, answer: int, said: str
) -> None:
    told = probed(leanbe, lambda _: answer)
    assert told.verdict == "not-probed"
    assert said in told.summary
    assert told.requests <= 2


def test_in_a_loop_a_probe_is_awaited(leanbe: Leanbe) -> None:
    async def ask() -> Probed:
        return await leanbe.deliveries.last().explain(probe=True)

    leanbe.products.create("Acme", webhook=MISTAKES["python-dumps"], secret=SECRET)
    leanbe.trigger("idea.created")
    assert asyncio.run(ask()).verdict == "named"


def test_a_probe_that_cannot_be_is_refused(leanbe: Leanbe) -> None:
    leanbe.products.create("Acme", webhook=lambda _: 204, secret=SECRET)
    leanbe.trigger("idea.created")
    delivery: Any = leanbe.deliveries.last()
    with pytest.raises(InvalidValue, match="got and hashed have no use"):
        delivery.explain(probe=True, got="00")
    with pytest.raises(InvalidValue, match="'perl'"):
        delivery.explain(probe=True, lang="perl")
    with leanbe.transaction(), pytest.raises(Conflict, match="inside a transaction"):
        delivery.explain(probe=True)
    leanbe.webhooks.clear("Acme")
    with pytest.raises(Conflict, match="no receiver to ask"):
        delivery.explain(probe=True)
