"""``verified`` in each framework: what the view gets, and how the rest is refused."""

from typing import cast

import pytest

from leanbe_emitter import Envelope, InvalidValue, sign, stringify
from leanbe_emitter.delivery.network.transport import Answer
from leanbe_emitter.receivers.verifier import Secret
from tests.support.in_process_apps import answers_of
from tests.support.verified_apps import FRAMEWORKS, Serving

SECRET = "whsec_test"
PAYLOAD = {"_id": "64a28ec49c3a1954e6a2e504", "title": "Dark mode, née «Noir»"}
SIGNATURE = sign(PAYLOAD, SECRET)


def body(*, signature: object = SIGNATURE, event: str = "idea.created") -> bytes:
    """Return the body of a request as Leanbe sends it, or with another signature."""
    envelope = {
        "payload": PAYLOAD,
        "event": event,
        "triggeredAt": "2026-11-24T14:02:11.123Z",
        "signature": signature,
    }
    return stringify(envelope).encode()


@pytest.fixture
def seen() -> list[Envelope]:
    """The envelopes that a view got."""
    return []


@pytest.fixture(params=FRAMEWORKS, ids=lambda serving: serving.__name__)
def serving(request: pytest.FixtureRequest) -> Serving:
    """A function that makes a receiver in one of the frameworks."""
    return cast("Serving", request.param)


def answer_to(sent: bytes, serving: Serving, secret: Secret, seen: list[Envelope]) -> Answer:
    """Return a new receiver's answer to a body."""
    with serving(secret, seen) as app:
        (answer,) = answers_of(app, sent)
    return answer


def test_the_view_gets_what_verifies(serving: Serving, seen: list[Envelope]) -> None:
    answer = answer_to(body(), serving, SECRET, seen)
    assert answer.status == 204
    (envelope,) = seen
    assert (envelope.event, envelope.payload) == ("idea.created", PAYLOAD)
    assert (envelope.triggered_at, envelope.signature) == ("2026-11-24T14:02:11.123Z", SIGNATURE)


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (sign(PAYLOAD, "another"), b"The signature does not fit the payload."),
        (SIGNATURE.upper(), b"The signature is in upper case."),
        ("", b"The signature, of 0 characters, is not 64 lower-case hex digits."),
    ],
)
def test_a_wrong_signature_is_a_401_that_says_why_and_leaks_nothing(
    serving: Serving, seen: list[Envelope], signature: str, reason: bytes
) -> None:
    answer = answer_to(body(signature=signature), serving, SECRET, seen)
    assert answer.status == 401
    assert reason in answer.body
    assert SECRET.encode() not in answer.body
    assert SIGNATURE.encode() not in answer.body.lower()
    assert seen == []


@pytest.mark.parametrize(
    "sent",
    [b"", b"\xff", b"[]", b"{", b'{"payload":{}}', body(signature=None), body(signature=[1])],
)
def test_a_body_that_is_no_envelope_gets_a_400_that_says_why(
    serving: Serving, seen: list[Envelope], sent: bytes
) -> None:
    answer = answer_to(sent, serving, SECRET, seen)
    assert answer.status == 400
    assert b"The " in answer.body
    assert seen == []


def test_a_secret_that_is_a_function_is_asked_at_each_request(
    serving: Serving, seen: list[Envelope]
) -> None:
    secrets = ["before", SECRET]
    with serving(secrets.pop, seen) as app:
        statuses = [answer.status for answer in answers_of(app, body(), body())]
    assert statuses == [204, 401]


def test_an_empty_secret_is_refused_before_any_request(
    serving: Serving, seen: list[Envelope]
) -> None:
    with pytest.raises(InvalidValue, match="no secret"), serving("", seen):
        pass


def test_a_function_that_has_no_secret_is_a_500_and_not_an_open_door(
    serving: Serving, seen: list[Envelope]
) -> None:
    forged = body(signature=sign(PAYLOAD, ""))
    answer = answer_to(forged, serving, lambda: "", seen)
    assert answer.status == 500
    assert "There is no secret to verify webhooks with." in answer.remark
    assert seen == []
