"""Bodies are sealed by the product's assumptions and verified by the article's formula."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leanbe_emitter import sign, stringify, verify
from leanbe_emitter.errors import InvalidSignature, InvalidValue
from leanbe_emitter.wire.assumptions.assumption_set import (
    ARTICLE,
    AssumptionSet,
    SignatureLocation,
    SignatureScheme,
    SignedContent,
    TriggeredAt,
)
from leanbe_emitter.wire.envelope import SealedRequest, payload_text_of, seal
from leanbe_emitter.wire.instants import parse_instant
from tests.support.example_envelopes import BODY_SHA256, ENVELOPES, SECRET

DATA = Path(__file__).parents[1] / "data"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
TEXT = '{"title":"Dark mode","tags":[],"image":{}}'
PRETTY = AssumptionSet(pretty_body=True)


def article(name: str) -> str:
    return stringify(json.loads((DATA / f"article-{name}.json").read_text(encoding="utf-8")))


def sealed(
    text: str = TEXT, assumptions: AssumptionSet = ARTICLE, secret: str | None = SECRET
) -> SealedRequest:
    return seal(
        text, event="idea.created", triggered_at=NOON, secret=secret, assumptions=assumptions
    )


def sign_again(**members: Any) -> bytes:
    """Return the body of a right envelope with those members put in its place."""
    envelope = json.loads(sealed().body) | members
    return json.dumps({k: v for k, v in envelope.items() if v is not ...}).encode()


BODY = sealed().body.encode()


@pytest.mark.parametrize(
    ("envelope", "digest"),
    list(zip(ENVELOPES, BODY_SHA256, strict=True)),
    ids=[envelope["event"] for envelope in ENVELOPES],
)
def test_the_22_bodies_are_rebuilt_to_the_byte(envelope: dict[str, Any], digest: str) -> None:
    made = seal(
        stringify(envelope["payload"]),
        event=envelope["event"],
        triggered_at=parse_instant(envelope["triggeredAt"]),
        secret=SECRET,
    )
    assert hashlib.sha256(made.body.encode()).hexdigest() == digest
    assert made.signature == envelope["signature"]
    opened = verify(made.body.encode(), SECRET)
    assert opened.payload == envelope["payload"]
    assert (opened.event, opened.triggered_at, opened.signature) == (
        envelope["event"],
        envelope["triggeredAt"],
        envelope["signature"],
    )


def test_the_articles_assumptions_put_the_signature_into_the_body_only() -> None:
    made = sealed()
    signature = hmac.new(SECRET.encode(), TEXT.encode(), "sha256").hexdigest()
    assert made.body == (
        f'{{"payload":{TEXT},"event":"idea.created","triggeredAt":"2026-11-24T12:00:00.000Z",'
        f'"signature":"{signature}"}}'
    )
    assert made.headers == (("Content-Type", "application/json"),)
    assert made.signature == signature


def test_the_signature_can_stand_in_a_header_instead() -> None:
    assumptions = AssumptionSet(
        signature_location=SignatureLocation.HEADER, signature_header="X-Sig"
    )
    made = sealed(assumptions=assumptions)
    assert list(json.loads(made.body)) == ["payload", "event", "triggeredAt"]
    assert made.headers == (("Content-Type", "application/json"), ("X-Sig", sealed().signature))


def test_the_signature_can_stand_in_both_places() -> None:
    made = sealed(assumptions=AssumptionSet(signature_location=SignatureLocation.BOTH))
    assert made.body == sealed().body
    assert made.headers[1:] == (("X-Leanbe-Signature", sealed().signature),)


@pytest.mark.parametrize(
    ("name", "event", "triggered_at", "signature"),
    [
        (
            "customer",
            "customer.created",
            "2023-06-29T06:56:57.472Z",
            "786b6f8cd847c8d3370bf73a74ddb81f094b350efceb944ea841435eaad17e32",
        ),
        (
            "idea",
            "idea.created",
            "2023-06-29T06:55:00.566Z",
            "786af9262479bb0803498ac8b094e5791f1a9828a0f5a86e4cf820bf68ca0adb",
        ),
    ],
)
@pytest.mark.parametrize("pretty_body", [False, True])
def test_the_envelope_can_be_signed_instead(
    name: str, event: str, triggered_at: str, signature: str, *, pretty_body: bool
) -> None:
    assumptions = AssumptionSet(
        signed_content=SignedContent.ENVELOPE_WITHOUT_SIGNATURE, pretty_body=pretty_body
    )
    made = seal(
        article(name),
        event=event,
        triggered_at=parse_instant(triggered_at),
        secret="whsec_test",
        assumptions=assumptions,
    )
    assert made.signature == signature
    assert json.loads(made.body)["signature"] == signature


def test_another_scheme_changes_the_signature_and_nothing_else() -> None:
    assumptions = AssumptionSet(signature_scheme=SignatureScheme.SHA256_PAYLOAD_SECRET)
    digest = hashlib.sha256((TEXT + SECRET).encode()).hexdigest()
    assert sealed(assumptions=assumptions).body == sealed().body.replace(
        str(sealed().signature), digest
    )


def test_another_time_changes_that_member_and_leaves_the_signature() -> None:
    made = sealed(assumptions=AssumptionSet(triggered_at=TriggeredAt.LA_OFFSET))
    assert made.body == sealed().body.replace(
        "2026-11-24T12:00:00.000Z", "2026-11-24T04:00:00.000-08:00"
    )


def test_another_content_type_is_a_header_of_the_request() -> None:
    made = sealed(assumptions=AssumptionSet(content_type="application/vnd.api+json"))
    assert made.headers == (("Content-Type", "application/vnd.api+json"),)


def test_a_pretty_body_is_indented_and_signed_compact() -> None:
    made = sealed(text='{"a":["x,{}:[]\\"",{}],"b":[]}', assumptions=PRETTY)
    signature = hmac.new(SECRET.encode(), b'{"a":["x,{}:[]\\"",{}],"b":[]}', "sha256").hexdigest()
    assert made.body == (
        "{\n"
        '  "payload": {\n'
        '    "a": [\n'
        '      "x,{}:[]\\"",\n'
        "      {}\n"
        "    ],\n"
        '    "b": []\n'
        "  },\n"
        '  "event": "idea.created",\n'
        '  "triggeredAt": "2026-11-24T12:00:00.000Z",\n'
        f'  "signature": "{signature}"\n'
        "}"
    )
    assert verify(made.body.encode(), SECRET).signature == signature


@pytest.mark.parametrize("location", SignatureLocation)
def test_without_a_secret_nothing_is_signed(location: SignatureLocation) -> None:
    made = sealed(assumptions=AssumptionSet(signature_location=location), secret=None)
    assert made.signature is None
    assert list(json.loads(made.body)) == ["payload", "event", "triggeredAt"]
    assert made.headers == (("Content-Type", "application/json"),)


def test_a_sealed_request_does_not_show_its_body_when_printed() -> None:
    assert "Dark mode" not in repr(sealed())


JSON_VALUES = st.recursive(
    st.none() | st.floats() | st.integers() | st.text(st.characters(exclude_categories=())),
    lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["event", "payload", "a", "7"]), x),
)


@given(JSON_VALUES, st.text(), st.sampled_from([ARTICLE, PRETTY]), st.sampled_from([SECRET, None]))
def test_the_payloads_text_is_found_again_in_any_body(
    payload: Any, event: str, assumptions: AssumptionSet, secret: str | None
) -> None:
    text = stringify(payload)
    made = seal(text, event=event, triggered_at=NOON, secret=secret, assumptions=assumptions)
    assert payload_text_of(made.body) == text


@pytest.mark.parametrize("body", ["", "{}", '{"payload":1}', '{"event":"idea.created"}'])
def test_a_foreign_body_has_no_payload_to_find(body: str) -> None:
    with pytest.raises(InvalidValue, match="not an envelope"):
        payload_text_of(body)


@given(JSON_VALUES)
def test_any_payload_verifies_with_its_secret_and_no_other(payload: Any) -> None:
    body = sealed(stringify(payload)).body.encode()
    assert stringify(verify(body, SECRET).payload) == stringify(payload)
    with pytest.raises(InvalidSignature, match="does not fit the payload"):
        verify(body, "whsec_other")


def test_event_and_time_are_not_bound_by_the_signature() -> None:
    opened = verify(sign_again(event="idea.deleted", triggeredAt="yesterday"), SECRET)
    assert (opened.event, opened.triggered_at) == ("idea.deleted", "yesterday")


def test_white_space_and_member_order_do_not_matter() -> None:
    members = json.loads(BODY)
    right = verify(BODY, SECRET)
    assert verify(json.dumps(members, indent=4).encode(), SECRET) == right
    assert verify(json.dumps(dict(reversed(members.items()))).encode(), SECRET) == right
    assert verify(sign_again(extra=1), SECRET) == right


def test_the_last_of_two_equal_keys_counts_as_in_javascript() -> None:
    altered = BODY.replace(b'{"payload":', b'{"payload":{"title":"forged"},"payload":')
    assert verify(altered, SECRET).payload["title"] == "Dark mode"
    with pytest.raises(InvalidSignature):
        verify(BODY.replace(b',"event"', b',"payload":{"title":"forged"},"event"'), SECRET)


def test_a_payload_as_deep_as_the_limit_verifies() -> None:
    text = "[" * 200 + "]" * 200
    assert stringify(verify(sealed(text).body.encode(), SECRET).payload) == text


def test_a_body_beyond_the_limit_of_what_is_sent_verifies() -> None:
    text = f'["{"a" * 2_000_000}"]'
    assert verify(sealed(text).body.encode(), SECRET).payload == ["a" * 2_000_000]


def test_bytes_of_any_kind_verify() -> None:
    assert verify(bytearray(BODY), SECRET) == verify(memoryview(BODY), SECRET)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not UTF-8: byte 0"),
        (b'{"payload":"\xed\xa0\x80"}', "not UTF-8"),
        (b"\xef\xbb\xbf" + BODY, "byte order mark"),
        (BODY.decode().encode("utf-16"), "not UTF-8"),
        (BODY + b"x", "not JSON"),
        (BODY[:-1], "not JSON"),
        (b'{"payload":NaN}', "contains NaN"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"payload":' * 100_000, "nested deeper"),
        (b"[]", "is an array, not a JSON object"),
        (b"null", "is null, not a JSON object"),
        (b"true", "is a boolean, not a JSON object"),
        (b"1", "is a number, not a JSON object"),
        (b'"text"', "is a string, not a JSON object"),
        (b"{}", "no member 'payload'"),
        (sign_again(payload=...), "no member 'payload'"),
        (sign_again(event=...), "no member 'event'"),
        (sign_again(triggeredAt=...), "no member 'triggeredAt'"),
        (sign_again(signature=...), "no member 'signature'"),
        (sign_again(event=1), "'event' is a number, not text"),
        (sign_again(triggeredAt=None), "'triggeredAt' is null, not text"),
        (sign_again(signature=None), "'signature' is null, not text"),
        (sign_again(signature=1), "'signature' is a number, not text"),
        (sign_again(signature=True), "'signature' is a boolean, not text"),
        (sign_again(signature=["a"]), "'signature' is an array, not text"),
        (sign_again(signature={}), "'signature' is an object, not text"),
        (sign_again(signature=""), "of 0 characters, is not 64"),
        (sign_again(signature="a" * 63), "of 63 characters, is not 64"),
        (sign_again(signature="é" * 64), "of 64 characters, is not 64"),
        (sign_again(signature="\ud800" * 64), "of 64 characters, is not 64"),
        (sign_again(signature=sign(json.loads(TEXT), SECRET).upper()), "in upper case"),
        (sign_again(signature="a" * 64), "does not fit the payload"),
        (sign_again(payload={"title": "Light mode"}), "does not fit the payload"),
        (sign_again(payload={"n": int("9" * 4_000)}), "does not fit the payload"),
        (b'{"payload":' + b"9" * 100_000 + BODY[len(b'{"payload":' + TEXT.encode()) :], "not fit"),
    ],
    ids=str,
)
def test_a_body_that_does_not_verify_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidSignature, match=reason):
        verify(body, SECRET)


@pytest.mark.parametrize("body", [None, "{}", {"payload": 1}, 3])
def test_a_body_that_is_not_bytes_is_refused_with_the_reason(body: Any) -> None:
    with pytest.raises(InvalidSignature, match="not bytes"):
        verify(body, SECRET)


@pytest.mark.parametrize("secret", ["", None, b"whsec_test"])
def test_without_a_secret_nothing_verifies(secret: Any) -> None:
    forged = sign_again(signature=sign(json.loads(TEXT), ""))
    with pytest.raises(InvalidSignature, match="no secret"):
        verify(forged, secret)


def test_a_refusal_tells_neither_the_secret_nor_the_right_signature() -> None:
    right = sign(json.loads(TEXT), SECRET)
    for wrong in (right.upper(), "a" * 64, right[:-1], right + " "):
        with pytest.raises(InvalidSignature) as refused:
            verify(sign_again(signature=wrong), SECRET)
        told = repr(refused.value).lower() + str(refused.value).lower()
        assert right[:-1] not in told
        assert SECRET not in told


@given(st.binary())
def test_any_bytes_are_refused_by_one_error_only(noise: bytes) -> None:
    with pytest.raises(InvalidSignature):
        verify(noise, SECRET)


@given(st.integers(0, len(BODY) - 1), st.integers(0, 3), st.binary(max_size=3))
def test_any_changed_body_verifies_unaltered_or_is_refused(
    at: int, removed: int, put: bytes
) -> None:
    changed = BODY[:at] + put + BODY[at + removed :]
    try:
        opened = verify(changed, SECRET)
    except InvalidSignature:
        return
    assert stringify(opened.payload) == TEXT
